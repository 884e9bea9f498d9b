package import ArgumentParser
import Language
import Reports
import Sites
import TerminalText
import Workbench

package struct HelpCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "help", abstract: "Help on a command or a topic.",
        discussion: """
            help sites explains the names of activations, help methods what each number about points means; help positions,
            help language, help files and help machine the rest.
            """)
    package static let traits = CommandTraits(
        .session, kinds: ["topic": .topic], examples: ["help capture", "help sites", "help methods"])

    @Argument(help: "A command, or sites, positions, methods, language, files, tokenizers, machine.") var topic: String?

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        guard let topic else { return .message(Help.overview) }
        if let command = Registry.find(topic) { return .message(Report(text: Help.page(command))) }
        if let page = Help.topics[topic] { return .message(page()) }
        if case .unique(let name) = PrefixMatch.resolve(topic, among: Registry.verbs), let command = Registry.find(name)
        {
            return .message(Report(text: Help.page(command)))
        }
        let close = Suggestion.closest(to: topic, among: Registry.verbs + Help.topics.keys)
        throw CommandError(
            "there is no help on \(topic.escapedForTerminal)",
            remedy: close.map { "did you mean help \($0)?" } ?? "try apropos \(Quoting.quote(topic))")
    }
}

package struct AproposCommand: Command {
    package static let configuration = CommandConfiguration(
        commandName: "apropos", abstract: "Find commands by a word in their help.")
    package static let traits = CommandTraits(.session, examples: ["apropos variance"])

    @Argument(help: "The word.") var word: String

    package init() {}

    package mutating func run(in session: Session) throws -> Outcome {
        let needle = word.lowercased()
        var table = Table("commands", columns: ["command", "what it does"])
        for command in Registry.all
        where Help.page(command).lowercased().split(separator: needle, omittingEmptySubsequences: false).count > 1 {
            table.append([.text(command.verb), .text(command.summary)])
        }
        for (name, page) in Help.topics.sorted(by: { $0.key < $1.key }) where page().mentions(needle) {
            table.append([.text("help \(name)"), .text("a page of its own")])
        }
        guard !table.rows.isEmpty else {
            throw CommandError("no help mentions \(word.escapedForTerminal)", remedy: "help lists the commands")
        }
        return .message(Report(tables: [table]))
    }
}

extension Report {
    /// Returns whether the title, the text, the notes or the tables contain a word, which is given in lower case.
    fileprivate func mentions(_ needle: String) -> Bool {
        let cells = tables.flatMap(\.rows).joined().map { $0.formatted() }
        return ([title, text ?? ""] + notes + cells).contains {
            $0.lowercased().split(separator: needle, omittingEmptySubsequences: false).count > 1
        }
    }
}

/// The help pages, which are made from the declarations of the commands.
enum Help {
    static var overview: Report {
        var report = Report()
        for topic in CommandTraits.Topic.allCases {
            var table = Table(topic.rawValue, columns: ["command", "what it does"])
            for command in Registry.all where command.traits.topic == topic {
                table.append([.text(command.verb), .text(command.summary)])
            }
            report.tables.append(table)
        }
        report.notes = [
            "help COMMAND shows arguments and examples; help sites, positions, methods, language, files, tokenizers and machine explain the rest.",
            "NAME = COMMAND names a result; it is the last one. TAB completes.",
        ]
        return report
    }

    /// Returns the page of a command: its purpose, its arguments, and examples that run.
    static func page(_ command: any Command.Type) -> String {
        var text = command.summary + "\n\n"
        let help = command.helpMessage(includeHidden: false, columns: 96)
        // The page of ArgumentParser is used without the summary, which stands above it, and without -h, which every
        // command has.
        var lines = help.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if let usage = lines.firstIndex(where: { $0.hasPrefix("USAGE") }) { lines.removeFirst(usage) }
        lines.removeAll { $0.hasPrefix("  -h, --help") }
        while lines.last?.isEmpty == true { lines.removeLast() }
        if lines.last == "OPTIONS:" { lines.removeLast() }
        while lines.last?.isEmpty == true { lines.removeLast() }
        text += lines.joined(separator: "\n")
        let discussion = command.configuration.discussion
        if !discussion.isEmpty { text += "\n\n" + discussion }
        if !command.traits.examples.isEmpty {
            text += "\n\nEXAMPLES (after open Checkpoints/pearl-base.h5):\n"
            text += command.traits.examples.map { "  \($0)" }.joined(separator: "\n")
        }
        return text
    }

    static let topics: [String: @Sendable () -> Report] = [
        "sites": { sites }, "positions": { Report(title: "Positions", text: positions) },
        "methods": { Report(title: "What numbers about points mean", text: methods) },
        "language": { Report(title: "The language of the shell", text: language) },
        "files": { Report(title: "Files", text: files) },
        "tokenizers": { Report(title: "Tokenizers", text: tokenizers) },
        "machine": { Machine.page },
    ]

    private static var sites: Report {
        var table = Table("sites", columns: ["at the prompt", "full name", "what it is"])
        for kind in Site.Kind.allCases {
            let prefix = kind.isLayered ? "blocks.L." : ""
            table.append([
                .text(kind.isLayered ? "\(kind.shortName)[L]" : kind.shortName), .text(prefix + kind.fullName),
                .text(kind.summary),
            ])
        }
        return Report(
            title: "Sites carry TransformerLens's names; weights are raw, nothing is folded.", tables: [table],
            notes: [
                "Layers: resid_post[12], resid_post[0..5], resid_post[0,5,-1], resid_post[*]; globs on full names: blocks.*.hook_resid_mid.",
                "Our resid_pre[L] is Hugging Face's hidden_states[L] and refusal_direction's layer L;"
                    + " our resid_post[L] is hidden_states[L+1] and heretic's and repeng's L."
                    + " Hugging Face's last hidden state comes after the final norm: ln_final.",
                "One head: attn.z[12].h3, .h0..3, .h*: its columns, of query heads for attn.q, rot_q, z, scores and patterns,"
                    + " of key-value heads for attn.k, rot_k and v.",
                "attn.pattern and attn.attn_scores hold [heads, tokens, tokens] for each prompt and go to a file;"
                    + " help capture says how to read them.",
            ])
    }

    private static let positions = """
        last, first      the last or first token of each prompt
        all              every token; BOS is left out unless --with-bos, outlier first rows unless --with-first
        mean             the mean over the tokens of all
        5, -2            from the start (0 is the first), or from the end (-1 is the last)
        token:WORD       the token that ends the first occurrence of WORD as a whole word (of letters, digits and _), as
                         written or else in other letter case; token:*WORD* also within a word. tokens TEXT --at shows it
        """

    private static let language = """
        VERB ARGUMENTS --options      one command a line; # begins a comment; \\ at the end continues the line
        NAME = COMMAND                names the result; it is the last one
        let NAME = TEXT, $NAME        text variables; $1 ... in scripts are their arguments
        ${1:-TEXT}, ${NAME:-TEXT}     the same, or TEXT as it is written where there is none
        'text' "text $NAME"           quotes as in a POSIX shell
        COMMAND > FILE, >> FILE       output to a file; COMMAND | SHELL COMMAND pipes it
        At the prompt a verb may be shortened; scripts spell it out.
        Scripts stop at the first error unless --keep-going; exit codes: 0 ok, 1 a command failed, 2 usage,
        3 an expect or a replay did not hold, 130 interrupted.
        """

    private static let tokenizers = """
        A checkpoint's tokenizer.json (Hugging Face) with a byte-pair model, byte-level or SentencePiece's with byte
        fallback: GPT-2, GPT-NeoX, Llama 2 and 3, Mistral and tekken, Qwen 2 and 3, Phi-3, OLMo 2, Gemma, SmolLM.
        normalizers      NFC, NFD, NFKC, NFKD, Lowercase, Prepend, Replace, Strip, StripAccents
        pre-tokenizers   ByteLevel (last), Digits, Metaspace, Punctuation, Split, Whitespace, WhitespaceSplit
        post-processors  ByteLevel, TemplateProcessing
        decoders         ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Strip
        Sequence joins several of each. Split and Replace take a text, the patterns of GPT-2, GPT-4o, Llama 3, Qwen 2
        and tekken, or a simple regular expression: characters and classes, repeated or not, without groups,
        alternatives or anchors. Token ids are those of the tokenizers library. Anything else is named and refused.
        """

    private static let files = """
        A checkpoint is plain HDF5: /weights/NAME (one dataset a tensor, bf16 as a true HDF5 float type), /config.json,
        /recipe.json and /tokenizer/*.json as UTF-8 bytes (and /generation_config.json, if the model has one). In Python:
          h5py.File("model.h5")["weights/model.norm.weight"][:]
        A capture has /sites/NAME [rows, width], /rows/{prompt,position,token}, /prompts and /recipe.json, whose empty_lines
        are those left out of the prompts' file; patterns are /patterns/NAME [heads, sum of tokens squared] with
        /patterns/{offsets,tokens}.
        Points come from any two-dimensional dataset of numbers, or from a .npy file; see help points.
        FILE.partial is a capture that was interrupted: the command that began it goes on with it.
        A Hugging Face folder of safetensors opens as it is, and so does one .safetensors file in it; see help open.
        Scripts/convert.py converts Hugging Face folders both ways, and GGUF files to a checkpoint.
        An existing file is never changed in place: a new one is written beside it, verified and renamed.
        What is open stays as it was opened when its files are removed, renamed or replaced by others. A file that another
        program writes into is refused from then on: open or load it again. Where its size is what it was (chmod, touch,
        links), a checkpoint is read once and compared with the digests in it; one without digests is refused, since its
        contents may have changed with the time of writing set back.
        """
}
