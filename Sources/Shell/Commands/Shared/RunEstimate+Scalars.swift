import Reports
import TerminalText
import Workbench

extension RunEstimate {
    var scalars: [Scalar] {
        [
            Scalar("operations", .number(operations * 1e-9), unit: "GFLOP", note: "of matrix products"),
            Scalar(
                "weights read", .text(NumberFormat.bytes(weightBytes)),
                note: sweeps == 1 ? "in one sweep" : "in each of \(sweeps) sweeps"),
            Scalar("memory", .text(NumberFormat.bytes(memoryBytes)), note: "at most"),
            Scalar(
                "time", .interval(value: seconds, low: low, high: high), unit: "s",
                note: "\(range), judged by \(source)"),
        ]
    }
}
