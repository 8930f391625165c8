"""Writes tests/data/tokenizer_smollm2.json and tests/data/smollm2_merges.bin from a SmolLM2 GGUF file.

    pip install gguf tokenizers
    python tests/reference/make_tokenizer_fixture.py models/smollm2-135m-instruct-q4_1.gguf

The expected ids come from the `tokenizers` package. The vocabulary is its special tokens, its single bytes and then one
token a merge in order, so the merges as pairs of 16-bit little-endian ids are all that has to be stored.
"""
import json
import pathlib
import random
import struct
import sys

import gguf
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"

# The patterns as the families' tokenizer.json files have them.
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
          r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
          r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK_V3 = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
               r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def splittings():
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return {
        "smollm": [pre_tokenizers.Digits(individual_digits=True), byte_level],
        "gpt-2": [byte_level],
        "falcon": [pre_tokenizers.Punctuation("contiguous"), byte_level, split("[0-9][0-9][0-9]")],
        "llama-bpe": [split(LLAMA3), letters],
        "qwen2": [split(LLAMA3.replace("{1,3}", "")), letters],
        "tekken": [split(TEKKEN), letters],
        "deepseek-v3": [split(r"\p{N}{1,3}"), split("[一-龥\u3040-ゟ゠-ヿ]+"), split(DEEPSEEK_V3), letters],
        "deepseek-coder": [split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split("[一-龥ࠀ-一가-퟿]+"),
                           pre_tokenizers.Digits(individual_digits=True), letters],
    }


def strings():
    cases = [
        "", " ", "  ", "   ", "\n", "\r\n", "\r", "\t", "a", "Hello", "Hello, world!", " Hello", "Hello ", "  Hello  world  ",
        "The quick brown fox jumps over the lazy dog.", "I'm sure they've said we'll go, it's what he'd do, can't you're",
        "I'M SURE THEY'VE SAID WE'LL GO, IT'S WHAT HE'D DO", "he'ſ", "’s ‘quoted’ “text” — dash – en…",
        "0", "12", "123", "1234", "12345678901234567890", "3.14159", "1,000,000", "x1y2z3", "2024-01-31T23:59:59Z", " 7 77 777",
        "٣٤٥", "१२३", "½ ⅓ Ⅷ ²³ ①②", "-1e-10", "0xDEADBEEF", "192.168.0.1:8080",
        "def f(x):\n    return x ** 2\n\n\nclass A:\n\tpass\n", "for (int i = 0; i < n; i++) {\n  sum += a[i];\n}",
        "#include <stdio.h>\r\nint main(void) {\r\n\treturn 0;\r\n}\r\n", "<html><body class=\"x\">&nbsp;</body></html>",
        "SELECT * FROM t WHERE a >= 10 AND b != 'x';", "{\"key\": [1, 2.5, null, true], \"s\": \"\\n\"}",
        "+/⍳10 ⋄ {⍺←2 ⋄ ⍺×⍵}¨⍳5 ⍝ APL", "∇ R←X rms_norm G\nR←G×X÷(0.5*⍨1e¯6+(+/X*2)÷⍴X)\n∇", "λx.x ∀x∈ℝ ∃y: x<y ∑∏∫ √2≈1.414",
        "a\n\nb\n\n\nc\n\n\n\nd", "a \n b \n  c", "line\r\nline\r\n\r\nline", "\n\n\n", "\t\t\tindent", " \t \n \t ", "a\u00a0b", "a\u3000b",
        "a\u2028b\u2029c", "a\u0085b", "a\u180eb", "\u180e", "a\u200bb", "\ufeffbom", "a\u2003\u2003b", "end   ", "   \n", "\x0b\x0c",
        "don't", "'s", "'S", "s's", "''''", "'tis", "!!!", "...", "?!?!", "----", "====", "#### Title", "```python\nx\n```", "~~~", "$100", "100%",
        "a_b_c", "camelCaseName", "SCREAMING_SNAKE", "path/to/file.txt", "C:\\Windows\\System32", "https://example.org/a?b=c&d=e#f",
        "user@example.com", "+1 (555) 010-9999", "antidisestablishmentarianism", "supercalifragilisticexpialidocious",
        "Größe, Straße, Äpfel, ÖSTERREICH", "naïve café résumé Ångström", "nai\u0308ve cafe\u0301 re\u0301sume\u0301", "Łódź, żółć, ąę",
        "Ελληνικά γλώσσα ΩΜΕΓΑ", "Привет, как дела? Ёлка", "Українська ґанок їжак", "שלום עולם", "שָׁלוֹם", "مرحبا بالعالم", "السَّلَامُ عَلَيْكُمْ",
        "नमस्ते दुनिया", "বাংলা ভাষা", "தமிழ் மொழி", "తెలుగు", "ಕನ್ನಡ", "മലയാളം", "සිංහල", "ไทยภาษาสวัสดี", "ພາສາລາວ", "မြန်မာ", "ភាសាខ្មែរ",
        "བོད་ཡིག", "ქართული ენა", "Հայերեն", "አማርኛ", "ᏣᎳᎩ", "中文分词测试", "我今天很高兴，你呢？", "日本語のテスト、カタカナ。", "ｆｕｌｌｗｉｄｔｈ １２３", "한국어 띄어쓰기 테스트",
        "\u1112\u1161\u11ab", "Tiếng Việt có dấu", "Türkçe İıŞş", "Ǆ ǅ ǆ ﬁ ﬂ", "𝒜𝓁𝓅𝒽𝒶 𝟘𝟙𝟚", "𐍈𐌰𐌿", "𓀀𓁐", "🙂", "🙂🙃", "👍🏽", "👨‍👩‍👧‍👦 family",
        "🏳️‍🌈 🏴‍☠️", "🇩🇪🇫🇷", "1️⃣2️⃣", "❤️‍🔥", "e\u0301\u0302\u0303", "Z̷̢a̸l̵g̶o̴", "\u0301start", "a\u034fb", "\ufffd", "\ufffd\ufffdx", "\ue000 private", "\U000f0000",
        "\x00", "\x01\x02\x03", "a\x04b", "he\x06llo", "\x7f", "\x1b[31mred\x1b[0m", "a\u202eb", "x\u2060y",
        "<|im_start|>", "<|im_start|>user\nHi<|im_end|>\n", "a<|im_end|>b", "<|im_start|><|im_end|>", "<|im_start", "<|im_start|", "<<|im_end|>>",
        "<|endoftext|>", " <|endoftext|> ", "<repo_name>x", "<reponame>", "<file_sep><filename>a.c<gh_stars>", "<issue_start><issue_comment>",
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n<|im_start|>user\n"
        "What is the capital of France?<|im_end|>\n<|im_start|>assistant\n", "<empty_output", "<jupyter_code>print(1)<jupyter_output>1",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", " " * 65, "\n" * 40, "ab" * 50, "the the the the the the",
        "<" * 33, "-" * 129, "=" * 70, "é" * 21, "ha" * 33, "🙂" * 9, "9" * 31, ". " * 20, "\t \t \t", "a " * 15, " a" * 15,
    ]
    generator = random.Random(20240131)
    pool = ([chr(c) for c in range(32, 127)] + list(" \n\t\r  '") * 4 + list("éßñøçàŽж中日한あ’“—…٣½🙂\u0301\u00a0\u3000")
            + ["the", " and", "ing", " 2024", "'s", "\r\n", "  ", "://", "();"])
    for length in list(range(1, 41)) + [80, 120, 200, 300]:
        cases.append("".join(generator.choice(pool) for _ in range(length)))
    for _ in range(40):  # any assigned or unassigned character of the basic plane, and some beyond
        cases.append("".join(chr(generator.choice([generator.randrange(0x20, 0xD800), generator.randrange(0x1F300, 0x1F700)]))
                             for _ in range(12)))
    return list(dict.fromkeys(cases))


def build(vocabulary, merges, steps, ignore_merges, specials):
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in specials])
    return tokenizer


def main():
    fields = gguf.GGUFReader(sys.argv[1]).fields
    tokens, merge_texts, types = (fields[f"tokenizer.ggml.{n}"].contents() for n in ("tokens", "merges", "token_type"))
    vocabulary = {token: i for i, token in enumerate(tokens)}
    merges = [tuple(m.split(" ")) for m in merge_texts]
    specials = [t for t, kind in zip(tokens, types) if kind == 3]
    first = len(tokens) - len(merges)
    assert [a + b for a, b in merges] == tokens[first:] and tokens[:len(specials)] == specials
    DATA.joinpath("smollm2_merges.bin").write_bytes(
        b"".join(struct.pack("<HH", vocabulary[a], vocabulary[b]) for a, b in merges))

    texts = strings()
    cases = []
    smollm = build(vocabulary, merges, splittings()["smollm"], False, specials)
    literal = build(vocabulary, merges, splittings()["smollm"], False, [])
    for text in texts:
        case = {"text": text, "ids": smollm.encode(text).ids}
        if literal.encode(text).ids != case["ids"]:
            case["literal_ids"] = literal.encode(text).ids
        cases.append(case)
    others = {}
    for name, steps in splittings().items():
        tokenizer = build(vocabulary, merges, steps, name in ("llama-bpe", "tekken"), [])
        others[name] = {str(i): tokenizer.encode(text).ids for i, text in enumerate(texts)}
    fixture = {"specials": specials, "bytes": tokens[len(specials):first], "bos": 1, "eos": 2, "unk": 0, "pad": 2,
               "cases": cases, "other_splittings": {n: ids for n, ids in others.items() if n != "smollm"}}
    with open(DATA / "tokenizer_smollm2.json", "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(
            f"{json.dumps(key)}: " + (
                "[\n" + ",\n".join(json.dumps(c, ensure_ascii=True, separators=(",", ":")) for c in value) + "\n]"
                if key == "cases" else json.dumps(value, ensure_ascii=True, separators=(",", ":")))
            for key, value in fixture.items()) + "\n}\n")
    print(len(cases), "strings")


main()
