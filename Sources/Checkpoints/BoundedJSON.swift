internal import HDF5
internal import JSON

/// Parses JSON that lists tensors, after a look at how many values it can have: one takes 2 bytes of text, but many
/// more of memory.
///
/// - Parameter subject: what errors call the text: "its header".
func parseTensorList(_ text: [UInt8], subject: String, path: String, limits: Limits) throws -> JSONValue {
    func failure(_ kind: CheckpointError.Kind, _ problem: String, _ remedy: String) -> CheckpointError {
        CheckpointError(kind, file: path, problem: problem, remedy: remedy)
    }
    // A tensor has a name, a type, up to 8 extents and 2 offsets; the rest is for metadata.
    let most = limits.objects.multipliedReportingOverflow(by: 32)
    let commas = text.reduce(0) { $0 + ($1 == UInt8(ascii: ",") ? 1 : 0) }
    guard most.overflow || commas <= most.partialValue else {
        throw failure(
            .limit, "\(subject) lists \(commas) values, more than \(most.partialValue)",
            "it is beyond 32 times the limit `objects`, see show limits")
    }
    let again = "copy it again from where it came"
    do throws(JSONError) {
        return try JSONValue(parsing: text, file: path)
    } catch {
        throw failure(
            .format, "\(subject) is not JSON: \(error.reason) (line \(error.line), column \(error.column))", again)
    }
}
