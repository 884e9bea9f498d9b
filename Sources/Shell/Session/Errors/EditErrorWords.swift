import Language
import Sites
import TerminalText
import Workbench

extension EditError: WordedError {
    var command: CommandError {
        switch self {
        case .rowsOfOtherWidth, .notFiniteRow: CommandError(problem, remedy: remedy)
        default: CommandError(problem, remedy: remedy, exitCode: 2)
        }
    }

    /// The description of the problem, which names the options of the shell where they are at fault.
    private var problem: String {
        switch self {
        case .columnsOfDirections: "--columns is about a site"
        case .rowsOfDirections: "--from goes with --form affine"
        case .badStrength(let strength): "--strength can't be \(strength)"
        case .directionsOptionsOfSite: "--sites and --strength are about directions"
        case .rowsUnused: "--from goes with --form mean or resample"
        case .formNeedsRows(let form): "--form \(form.rawValue) needs rows"
        case .otherForm(let form, let target, _): "--form can't be \(form.escapedForTerminal) for \(target)"
        case .badPositions(let text): "--positions can't be \(text.escapedForTerminal)"
        default: description
        }
    }

    private var remedy: String {
        switch self {
        case .otherWidth, .noSuchLayer: "find a direction of this checkpoint"
        case .notOfStream(let name, _):
            "say where it is to be taken out: ablate \(name.escapedForTerminal) --sites SITE; or find one at resid_pre"
        case .unplaced(_, let isAdded): isAdded ? "say where to add it: --sites SITE" : "load it with --at SITE"
        case .noNegativeMean: "give a capture of negatives at its site: --from CAPTURE"
        case .columnsOfDirections: "leave it out"
        case .rowsOfDirections: "add --form affine"
        case .badStrength: "give a number other than 0"
        case .cantBeEdited(let site):
            site.kind.isPattern ? "edit attn.z for a head's output" : "edit resid_post of the last layer"
        case .siteOfOtherWidth: "name sites of the residual stream, attn_out or mlp_out"
        case .siteOutsideStream: "name resid_pre, resid_mid, resid_post, attn_out, mlp_out or embed"
        case .directionsOptionsOfSite: "leave them out"
        case .rowsUnused: "leave it out, or give --form"
        case .formNeedsRows: "give a capture of the site: --from CAPTURE"
        case .rowsOfOtherWidth: "capture it from this checkpoint"
        case .siteNotHeld(let capture, let site):
            "capture it: \(capture.escapedForTerminal) = capture \(site) --prompts P"
        case .notFiniteRow: "capture fewer prompts"
        case .otherForm(_, _, let allowed): "give \(allowed.map(\.rawValue).joined(separator: ", "))"
        case .noSuchPosition: "give one of them"
        case .badPositions: "give all, prompt, last, first, a position counted from 0, or from:N"
        }
    }
}
