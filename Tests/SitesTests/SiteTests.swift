import Sites
import Testing

@Suite("Sites and positions")
struct SiteTests {
    private func names(_ text: String, layers: Int = 4) throws -> [String] {
        try SiteExpression.parse(text, layers: layers).map(\.shortName)
    }

    @Test("short names with layers, ranges and lists")
    func shortNames() throws {
        #expect(try names("resid_post[2]") == ["resid_post[2]"])
        #expect(try names("resid_post[-1]") == ["resid_post[3]"])
        #expect(try names("resid_post[1..2]") == ["resid_post[1]", "resid_post[2]"])
        #expect(try names("attn.z[*]").count == 4)
        #expect(try names("attn.z").count == 4)
        #expect(try names("mlp.post[0, 2,-1]") == ["mlp.post[0]", "mlp.post[2]", "mlp.post[3]"])
        #expect(try names("embed") == ["embed"])
        #expect(try names("logits") == ["logits"])
    }

    @Test("full names and globs, in the order of computation")
    func fullNames() throws {
        #expect(try names("blocks.3.hook_resid_pre") == ["resid_pre[3]"])
        #expect(try names("blocks.*.hook_resid_mid").count == 4)
        #expect(try names("blocks.1.*").count == 16)
        #expect(try names("ln_final.hook_normalized") == ["ln_final"])
        for site in Site.all(layers: 3) { #expect(Site(fullName: site.fullName) == site) }
    }

    @Test(
        "what is wrong is said",
        arguments: [
            ("resid_post[4]", "layers 0 to 3"), ("resid_post[-5]", "layers 0 to 3"), ("resid_post[x]", "not a layer"),
            ("resid_post[2..1]", "backwards"), ("resid_post[1", "] is missing"), ("embed[0]", "leave out the brackets"),
            ("resid", "no such site"), ("attn.z[1].h3", "single head"),
            ("blocks.9.hook_resid_pre", "layers 0 to 3"), ("", "no such site"), ("resid_post[]", "not a layer"),
        ])
    func refusals(text: String, problem: String) {
        let error = #expect(throws: SiteError.self) { try SiteExpression.parse(text, layers: 4) }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    }

    private func heads(_ text: String) throws -> [String] {
        try SiteExpression.parse(text, layers: 4) { kind in
            switch kind.heads {
            case .query?: 6
            case .keyValue?: 2
            case nil: nil
            }
        }.map(\.shortName)
    }

    @Test("one head, some and all of them, of the sites that have them")
    func headNames() throws {
        #expect(try heads("attn.z[2].h3") == ["attn.z[2].h3"])
        #expect(try heads("attn.z[2].h-1") == ["attn.z[2].h5"])
        #expect(try heads("attn.q[1..2].h0..1") == ["attn.q[1].h0", "attn.q[1].h1", "attn.q[2].h0", "attn.q[2].h1"])
        #expect(try heads("attn.k[0].h*") == ["attn.k[0].h0", "attn.k[0].h1"])
        #expect(try heads("blocks.3.attn.hook_v.h1") == ["attn.v[3].h1"])
        #expect(try heads("blocks.*.attn.hook_z.h0").count == 4)
        #expect(try heads("attn.pattern[0].h*").count == 6)
        // Without a head as ever; a glob that looks like one stays a glob.
        #expect(try heads("attn.z[2]") == ["attn.z[2]"])
        #expect(try heads("blocks.0.h*").contains("resid_pre[0]"))
        for text in ["attn.z[2].h3", "attn.k[0].h0", "blocks.3.hook_mlp_out", "ln_final.hook_normalized"] {
            for name in try SiteExpression.parse(text, layers: 4, heads: { $0.heads == nil ? nil : 6 }) {
                #expect(SiteSelection(fullName: name.fullName) == name)
            }
        }
        #expect(SiteSelection(fullName: "blocks.0.hook_resid_pre.h0") == nil)
        #expect(SiteSelection(fullName: "blocks.0.attn.hook_z.h-1") == nil)
        let order = [
            "ln_final.hook_normalized", "odd", "blocks.0.attn.hook_z.h10", "blocks.0.attn.hook_z.h9",
            "blocks.0.attn.hook_z",
        ]
        #expect(order.sorted { SiteSelection.precedes($0, $1) } == [order[4], order[3], order[2], order[0], order[1]])
    }

    @Test(
        "what is wrong about a head is said",
        arguments: [
            ("attn.z[1].h6", "heads 0 to 5"), ("attn.k[1].h2", "heads 0 to 1"), ("attn.z[1].h-7", "heads 0 to 5"),
            ("resid_post[1].h0", "not made of heads"), ("attn.z[9].h0", "layers 0 to 3"), ("attn.z[1].hx", "no heads"),
            ("attn.z[1].h3..1", "backwards"), ("attn.z[1].h1..", "no heads"), ("attn.z[1].h", "no heads"),
            ("nosuch[1].h0", "no such site"), ("attn.z[1].h99999999999999999999", "no heads"),
        ])
    func headRefusals(text: String, problem: String) {
        let error = #expect(throws: SiteError.self) { try heads(text) }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    }

    @Test("globs match as a shell's do")
    func globs() {
        func matches(_ name: String, _ pattern: String) -> Bool {
            SiteExpression.matches(Array(name.utf8), Array(pattern.utf8))
        }
        #expect(matches("abc", "a*c") && matches("abc", "*") && matches("abc", "???") && matches("", "*"))
        #expect(!matches("abc", "a?") && !matches("abc", "*b") && !matches("abc", ""))
        #expect(matches("aXbXc", "a*b*c") && matches("aab", "*ab"))
    }

    @Test("positions")
    func positions() throws {
        func list(_ text: String, count: Int = 5, skipped: Int = 0) throws -> [Int] {
            try Position(text).positions(count: count, skipped: skipped, prompt: "prompt 3 of p") {
                $0 == "apple" ? 3 : nil
            }
        }
        #expect(try list("last") == [4] && list("first") == [0] && list("-2") == [3] && list("1") == [1])
        #expect(try list("all") == [0, 1, 2, 3, 4] && list("all", skipped: 1) == [1, 2, 3, 4])
        #expect(try list("all", count: 1, skipped: 1) == [0])
        #expect(try list("token:apple") == [3])
        func problem(_ text: String) -> String { #expect(throws: SiteError.self) { try list(text) }?.description ?? "" }
        #expect(
            problem("token:pear")
                == "position \"token:pear\": prompt 3 of p does not contain \"pear\" as a whole word; give another word,"
                + " token:*pear* to find it within words, too, or a text that has it")
        #expect(
            problem("token:*pear*").hasSuffix("does not contain \"*pear*\"; give another word, or a text that has it")
        )
        #expect(
            problem("5").hasSuffix("prompt 3 of p has 5 tokens; give a number from -5 to 4, or a longer text"))
        for text in ["token:pear", "5", "-6"] { #expect(throws: SiteError.self) { try list(text) } }
        for text in ["", "token:", "middle", "1.5"] { #expect(throws: SiteError.self) { try Position(text) } }
        #expect(throws: SiteError.self) { try list("\(Int.min)") }
    }
}
