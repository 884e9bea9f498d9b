import Models
package import Sites
import TerminalText

/// A reason why an edit (a change to a model's activations as it runs) can't be made as it is requested.
package enum EditError: Error, Equatable, CustomStringConvertible {
    // These cases are about directions.
    case otherWidth(String, Int, place: String, placeWidth: Int)
    case noSuchLayer(String, layer: Int, layers: Int)
    /// Directions with this name are not of the residual stream; `place` names the site where they were found.
    case notOfStream(String, place: String)
    /// It is unknown at which site the directions were found; `isAdded` is true if they are to be added, false if they
    /// are to be taken out.
    case unplaced(String, isAdded: Bool)
    case noNegativeMean(String)
    case columnsOfDirections
    case rowsOfDirections
    case badStrength(Double)

    // These cases are about sites.
    case cantBeEdited(Site)
    case siteOfOtherWidth(Site, directions: Int)
    case siteOutsideStream(Site)
    case directionsOptionsOfSite
    case rowsUnused
    case formNeedsRows(AblationForm)
    case rowsOfOtherWidth(capture: String, Site, Int, model: Int)
    case siteNotHeld(capture: String, site: String)
    case notFiniteRow(capture: String, row: Int, site: String)

    // These cases are about both.
    case otherForm(String, target: String, allowed: [AblationForm])
    case noSuchPosition(Int, positions: Int)
    case badPositions(String)

    package var description: String {
        switch self {
        case .otherWidth(let name, let width, let place, let placeWidth):
            "\(name.escapedForTerminal) has width \(width), and \(place) has \(placeWidth)"
        case .noSuchLayer(let name, let layer, let layers):
            "\(name.escapedForTerminal) is from layer \(layer), and the model has layers 0 to \(layers - 1)"
        case .notOfStream(let name, let place):
            "\(name.escapedForTerminal) is from \(place), which is no part of the residual stream"
        case .unplaced(let name, _): "\(name) does not say where it was found"
        case .noNegativeMean(let name): "\(name) does not hold the mean of its negative class"
        case .columnsOfDirections: "columns are chosen of a site"
        case .rowsOfDirections: "rows are taken for an affine ablation"
        case .badStrength(let strength): "the strength of an edit can't be \(strength)"
        case .cantBeEdited(let site): "\(site.shortName) can't be edited"
        case .siteOfOtherWidth(let site, let width): "\(site.shortName) is not \(width) wide, as the directions are"
        case .siteOutsideStream(let site):
            "\(site.shortName) is no part of the residual stream, where the directions are from"
        case .directionsOptionsOfSite: "sites and a strength are chosen of directions"
        case .rowsUnused: "rows are taken for the forms mean and resample"
        case .formNeedsRows(let form): "the form \(form.rawValue) needs rows"
        case .rowsOfOtherWidth(let capture, let site, let width, let model):
            "\(capture): \(site.shortName) has width \(width) there and \(model) in this model"
        case .siteNotHeld(let capture, let site): "\(capture.escapedForTerminal) does not hold \(site)"
        case .notFiniteRow(let capture, let row, let site):
            "\(capture.escapedForTerminal): row \(row) of \(site) is not finite"
        case .otherForm(let form, let target, _): "the form can't be \(form.escapedForTerminal) for \(target)"
        case .noSuchPosition(let number, let positions):
            "the model has positions 0 to \(positions - 1), and no \(number)"
        case .badPositions(let text): "positions can't be \(text.escapedForTerminal)"
        }
    }
}
