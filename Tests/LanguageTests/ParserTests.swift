import Language
import Testing

@testable import Language

private var expansion: Expansion {
    Expansion(
        ["a": "1", "two": "x y", "dir": "out", "my-name": "m", "dash": "-z", "quote": "'\"$a", "empty": ""],
        arguments: ["first", "second arg"])
}

private func words(_ line: String) throws -> [String] {
    try Parser.parse(line, expanding: expansion).words.map(\.text)
}

@Suite struct ParserWordTests {
    @Test(
        arguments: [
            ("", []), ("  \t", []), ("info", ["info"]), ("  a\tb  c ", ["a", "b", "c"]), ("a\r\n", ["a"]),
            ("# comment", []), ("a # comment 'open", ["a"]), ("a#b c", ["a#b", "c"]), ("a '#' \\#", ["a", "#", "#"]),
            ("'a b' \"c d\"", ["a b", "c d"]), ("'a'\"b\"c", ["abc"]), ("'' \"\"", ["", ""]),
            (#"'a\b"$a'"#, [#"a\b"$a"#]), (#""\"\\\$ \n \' \`""#, [#""\$ \n \' \`"#]),
            (#"a\ b \\ \' \$a"#, ["a b", "\\", "'", "$a"]),
            ("a\\\nb", ["ab"]), ("a \\\n b", ["a", "b"]), ("\"a\\\nb\"", ["ab"]), ("'a\\\nb'", ["a\\\nb"]),
            ("a\\\r\nb", ["ab"]),
            ("'a\nb'", ["a\nb"]), ("a\n\n# more\n", ["a"]), ("\n\na", ["a"]),
            ("日本 'é'", ["日本", "é"]),
            ("resid_post[0..29] attn.z[*] token:'apple'", ["resid_post[0..29]", "attn.z[*]", "token:apple"]),
            ("a;b & (c) <d *", ["a;b", "&", "(c)", "<d", "*"]), ("--at -2", ["--at", "-2"]), ("a\u{A0}b", ["a\u{A0}b"]),
        ] as [(String, [String])])
    func quotes(line: String, expected: [String]) throws {
        #expect(try words(line) == expected)
    }

    @Test(
        arguments: [
            ("$a", ["1"]), ("x$a.h5", ["x1.h5"]), ("${a}b", ["1b"]), ("$two", ["x y"]), ("\"<$two>\"", ["<x y>"]),
            ("'$a'", ["$a"]),
            ("$dir/f $dir.h5", ["out/f", "out.h5"]), ("${my-name}", ["m"]), ("$quote", ["'\"$a"]), ("$empty", [""]),
            ("$1 $2", ["first", "second arg"]), ("$#", ["2"]), ("$@", ["first", "second arg"]),
            ("\"$@\"", ["first", "second arg"]),
            ("x$@y", ["xfirst", "second argy"]), ("${1}0 ${2}", ["first0", "second arg"]), ("$10", ["first0"]),
            ("$ $+ a$ \"$\" $", ["$", "$+", "a$", "$", "$"]), ("$a$a", ["11"]), ("\\$a", ["$a"]),
            ("\"\\$a $a\"", ["$a 1"]),
            ("${a:-x y} ${none:-x y}", ["1", "x y"]), ("${3:-a/b.h5} ${2:-c}", ["a/b.h5", "second arg"]),
            ("${empty:-e} ${none:-}", ["e", ""]), ("x${9:-$a}y", ["x$ay"]),
        ] as [(String, [String])])
    func variables(line: String, expected: [String]) throws {
        #expect(try words(line) == expected)
    }

    @Test func noArgumentsMakeNoWord() throws {
        #expect(try Parser.parse("a $@ \"$@\" b").words.map(\.text) == ["a", "b"])
        #expect(try Parser.parse("a x$@").words.map(\.text) == ["a", "x"])
        #expect(try Parser.parse("$#").words.map(\.text) == ["0"])
    }

    @Test func wordsKnowTheirQuotesAndPlace() throws {
        let line = "é '-x' -y \\-z $dash"
        let parsed = try Parser.parse(line, expanding: expansion)
        #expect(parsed.words.map(\.wasQuoted) == [false, true, false, true, false])
        #expect(parsed.words.map(\.range) == [0..<2, 3..<7, 8..<10, 11..<14, 15..<20])
    }
}

@Suite struct ParserTargetTests {
    @Test(arguments: ["x = open f", "x= open f", "x =open f", "x=open f", " x\t=  open f # why"])
    func names(line: String) throws {
        let parsed = try Parser.parse(line)
        #expect(parsed.target == "x")
        #expect(parsed.words.map(\.text) == ["open", "f"])
    }

    @Test func namesMayHoldDotsDashesAndVariables() throws {
        #expect(try Parser.parse("pearl-base.2_x = info").target == "pearl-base.2_x")
        #expect(try Parser.parse("d-$a = info", expanding: expansion).target == "d-1")
        #expect(try Parser.parse("x=$dir", expanding: expansion).words.map(\.text) == ["out"])
    }

    @Test(
        arguments: [
            ("let x = text", ["let", "x", "=", "text"]), ("let x=text", ["let", "x=text"]),
            ("set --seed=5", ["set", "--seed=5"]),
            ("it.value == 3", ["it.value", "==", "3"]), ("x==3", ["x==3"]), ("'x=y' z", ["x=y", "z"]),
            ("x '=' y", ["x", "=", "y"]),
            ("2x=3", ["2x=3"]),
        ] as [(String, [String])])
    func isNoTarget(line: String, expected: [String]) throws {
        let parsed = try Parser.parse(line)
        #expect(parsed.target == nil)
        #expect(parsed.words.map(\.text) == expected)
    }

    @Test(arguments: [
        (
            "2x = open f",
            "2x can't be a name: a name begins with a letter or _ and goes on with letters, digits, _ . and -"
        ),
        (
            "'x' = open f",
            "x can't be a name: a name begins with a letter or _ and goes on with letters, digits, _ . and -"
        ),
        ("x =", "a command must follow x ="), ("x=", "a command must follow x ="),
        ("x = > f", "a command must follow x ="),
    ])
    func isRefused(line: String, message: String) {
        #expect(throws: ParserError(message, at: 0, in: Array(line.utf8))) { try Parser.parse(line) }
    }
}

@Suite struct ParserRedirectTests {
    @Test(
        arguments: [
            ("info > f", .file(path: "f", append: false)), ("info>f", .file(path: "f", append: false)),
            ("info >> 'a b' # c", .file(path: "a b", append: true)),
            ("info > $dir.csv", .file(path: "out.csv", append: false)),
            ("info | less", .pipe("less")), ("info|grep 'a # b' > \"c\" | $x", .pipe("grep 'a # b' > \"c\" | $x")),
            ("info | a \\\n b", .pipe("a \\\n b")), ("info | awk \"  ", .pipe("awk \"")), ("info", nil),
            ("info '>' \\| \">>\"", nil),
            ("expect it.value > 3", nil), ("expect a|b >> c", nil), ("expect>3", nil),
        ] as [(String, ParsedLine.Redirect?)])
    func ends(line: String, expected: ParsedLine.Redirect?) throws {
        #expect(try Parser.parse(line, expanding: expansion).redirect == expected)
    }

    @Test func expressionsKeepTheirOperators() throws {
        #expect(try words("expect it.value >= 3 | 4") == ["expect", "it.value", ">=", "3", "|", "4"])
        #expect(try Parser.parse("exp a > 3") { $0.hasPrefix("exp") }.words.count == 4)
    }

    @Test(arguments: [
        ("info >", "the name of a file must follow >", 6), ("info >> # x", "the name of a file must follow >>", 6),
        ("info > a b", "only one name of a file may follow >; quote a name with blanks", 10),
        ("info > a > b", "the output can go to one place only", 10),
        ("info > a | b", "the output can go to one place only", 10),
        ("info >>> a", "the name of a file must follow >>", 6), ("info > ''", "one name of a file must follow >", 8),
        ("info > $@", "one name of a file must follow >", 8), ("info |  ", "a shell command must follow |", 6),
        ("> f", "a command must come before this; quote > and | where they are text", 1),
        ("| less", "a command must come before this; quote > and | where they are text", 1),
    ])
    func isRefused(line: String, message: String, column: Int) throws {
        let error = try #require(throws: ParserError.self) { try Parser.parse(line, expanding: expansion) }
        #expect(error.message == message)
        #expect(error.column == column)
    }
}

@Suite struct ParserErrorTests {
    @Test(arguments: [
        ("a 'b", "the quote ' is not closed; write \\' for the character", 3),
        ("é \"b", "the quote \" is not closed; write \\\" for the character", 3),
        ("a b\\", "nothing follows the backslash; write \\\\ for the character", 4),
        ("a\nb", "one command a line; this is a second one", 1),
        ("a $tow", "no variable is called tow; did you mean $two?", 3),
        ("a $my", "no variable is called my; did you mean ${my-name}?", 3),
        ("a $zzzzzz", "no variable is called zzzzzz; there are: a, dash, dir, empty, my-name, quote, two", 3),
        ("$3", "$3 is not set: 2 arguments were given; write \\$ for the character", 1),
        ("${99999999999999999999}", "${99999999999999999999} is no name; \(Name.rule)", 1),
        ("a ${a", "${ needs a name and a }; write '$' or \\$ for the character", 3),
        ("a ${}", "${} is no name; \(Name.rule)", 3),
        ("a ${a b}", "${ needs a name and a }; write '$' or \\$ for the character", 3),
    ])
    func saysWhatAndWhere(line: String, message: String, column: Int) throws {
        let error = try #require(throws: ParserError.self) { try Parser.parse(line, expanding: expansion) }
        #expect(error.message == message)
        #expect(error.column == column)
    }

    @Test func withoutVariablesItSaysHowToSetOne() throws {
        let error = try #require(throws: ParserError.self) { try Parser.parse("next \"costs $price\"") }
        #expect(
            error.message == "no variable is called price; set it with: let price = TEXT; write \\$ for the character")
        let argument = try #require(throws: ParserError.self) { try Parser.parse("next \"costs $5\"") }
        #expect(argument.message == "$5 is not set: no arguments were given; write \\$ for the character")
    }

    @Test func columnsCountFromTheLineTheyAreIn() throws {
        let error = try #require(throws: ParserError.self) { try Parser.parse("a \\\n  $b") }
        #expect(error.column == 3)
        #expect(error.description == "column 3: \(error.message)")
    }
}

@Suite struct ScriptTextTests {
    @Test(arguments: [
        ("a", false), ("a 'b", true), ("a \"b", true), ("a \\", true), ("a \\\\", false), ("a # \\", false),
        ("a # 'b", false),
        ("a 'b\nc", true), ("a 'b\nc'", false), ("", false), ("a \\\n", false), ("a\nb 'c", true), ("a | b 'c", false),
        ("a | b \\", true),
        ("expect a | 'b", true),
    ])
    func continuation(text: String, expected: Bool) {
        #expect(Parser.needsContinuation(text) == expected)
    }

    @Test func carriageReturnsAloneEndLines() {
        let text = "# open a\ropen b\r".withLineFeeds
        #expect(Parser.commands(in: text) == [Parser.Command(text: "open b", line: 2)])
        #expect("a\rb\n".withLineFeeds == "a\nb\n")
        for whole in ["a\r\nb\r\n", "a\nb\rc\n", "a\r", ""] {
            #expect(whole.withLineFeeds.utf8.elementsEqual(whole.utf8))
        }
    }

    @Test func splitsAtUnquotedLineBreaks() {
        let script =
            "#!/usr/bin/env nacre -f\n\nopen a # 'x\r\nlet t = 'b\nc' \\\n  d\ninfo\n  # end\nsave | sh \\\n x\nlast 'open"
        #expect(
            Parser.commands(in: script) == [
                .init(text: "open a # 'x\r", line: 3), .init(text: "let t = 'b\nc' \\\n  d", line: 4),
                .init(text: "info", line: 7),
                .init(text: "save | sh \\\n x", line: 9), .init(text: "last 'open", line: 11),
            ])
    }
}
