extension StringProtocol {
    /// The text without the blanks and line breaks before it.
    package var withoutLeadingBlanks: SubSequence { drop(while: \.isWhitespace) }

    /// The text without the blanks and line breaks before and after it.
    package var withoutOuterBlanks: SubSequence {
        var rest = withoutLeadingBlanks
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return rest
    }
}
