/// Returns a shape as text, such as `[576, 1536]`.
package func shapeText(_ shape: [Int]) -> String { "[\(shape.map(String.init).joined(separator: ", "))]" }
