// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/xml/scanner.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/random.hpp"
#include "base/text.hpp"

namespace syncline::ews::xml {
namespace {

constexpr std::string_view fffd = "\xEF\xBF\xBD";

struct Outcome {
  std::string text;
  std::string error;  ///< its code
  std::uint64_t replaced = 0;
  std::uint64_t line = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome scan_pieces(std::initializer_list<std::string_view> pieces, Limits limits = {}) {
  Outcome outcome;
  Scanner scanner(limits);
  Result<void> result;
  for (const std::string_view piece : pieces) {
    result = scanner.feed(piece, outcome.text);
    if (!result) break;
  }
  if (result) result = scanner.finish(outcome.text);
  if (!result) outcome.error = result.error().code;
  outcome.replaced = scanner.replaced();
  outcome.line = scanner.line();
  return outcome;
}

Outcome scan(std::string_view text, Limits limits = {}) {
  return scan_pieces({text}, limits);
}

/// The outcome, after it was seen to be the same for every place the text can be cut in two, and octet by
/// octet.
Outcome scan_cut_everywhere(std::string_view text) {
  const Outcome whole = scan(text);
  for (std::size_t i = 1; i < text.size(); ++i) {
    const Outcome cut = scan_pieces({text.substr(0, i), text.substr(i)});
    EXPECT_EQ(cut, whole) << "cut at octet " << i << " of " << text::escape_for_display(text);
    if (cut != whole) break;
  }
  Outcome single;
  Scanner scanner;
  Result<void> result;
  for (std::size_t i = 0; i < text.size() && result; ++i)
    result = scanner.feed(text.substr(i, 1), single.text);
  if (result) result = scanner.finish(single.text);
  if (!result) single.error = result.error().code;
  single.replaced = scanner.replaced();
  single.line = scanner.line();
  EXPECT_EQ(single, whole) << text::escape_for_display(text);
  return whole;
}

std::string expected_of(char32_t c) {
  if (!text::is_xml_char(c)) return std::string(fffd);
  if (c < 0x20 || c == '<' || c == '>' || c == '&' || c == '"' || c == '\'' || c == ']') {
    return fmt::format("&#{};", static_cast<unsigned>(c));
  }
  std::string out;
  text::append_utf8(out, c);
  return out;
}

TEST(Scanner, Invariant25MakesOfEveryReferenceThereIsACharacterThatXmlAllows) {
  // R-21 over all code points, decimal and hexadecimal, and past the end of Unicode; a thousand in one
  // document, which is cut in pieces of every length up to that of a reference, so that a cut comes at every
  // octet of every form.
  for (unsigned first = 0; first <= 0x110400; first += 1024) {
    std::string text = "<a>";
    std::string wanted = "<a>";
    std::uint64_t replaced = 0;
    for (unsigned c = first; c < first + 1024; ++c) {
      text += fmt::format("&#{};&#x{:X};&#x{:06x};", c, c, c);
      const std::string one = expected_of(c);
      wanted += one + one + one;
      if (!text::is_xml_char(c)) replaced += 3;
    }
    text += "</a>";
    wanted += "</a>";
    // Lengths 1 to 11 over the groups; every length is used on every class of characters.
    const std::size_t length = 1 + (first / 1024) % 11;
    for (const std::size_t piece : {text.size(), length}) {
      Scanner scanner;
      std::string out;
      for (std::size_t at = 0; at < text.size(); at += piece) {
        ASSERT_TRUE(scanner.feed(std::string_view(text).substr(at, piece), out)) << first;
      }
      ASSERT_TRUE(scanner.finish(out));
      ASSERT_EQ(out, wanted) << "from code point " << first << ", pieces of " << piece;
      ASSERT_EQ(scanner.replaced(), replaced) << first;
    }
  }
}

TEST(Scanner, Invariant25GivesTheSameForEveryCutInsideAReference) {
  for (const char32_t c :
       {0x0u,    0x1u,    0x9u,    0xAu,    0xDu,    0x1Fu,   0x20u,   0x22u,    0x26u,    0x27u,    0x3Cu,
        0x3Eu,   0x41u,   0x5Du,   0x7Fu,   0x80u,   0x85u,   0x7FFu,  0x800u,   0x2028u,  0xD7FFu,  0xD800u,
        0xDBFFu, 0xDC00u, 0xDFFFu, 0xE000u, 0xFFFDu, 0xFFFEu, 0xFFFFu, 0x10000u, 0x1F600u, 0x10FFFFu}) {
    for (const std::string& reference :
         {fmt::format("&#{};", static_cast<unsigned>(c)), fmt::format("&#x{:x};", static_cast<unsigned>(c)),
          fmt::format("&#x{:X};", static_cast<unsigned>(c)),
          fmt::format("&#{:012d};", static_cast<unsigned>(c))}) {
      const std::string wanted = expected_of(c);
      EXPECT_EQ(scan_cut_everywhere("<a b=\"" + reference + "\">x" + reference + "y</a>").text,
                "<a b=\"" + wanted + "\">x" + wanted + "y</a>");
    }
  }
}

TEST(Scanner, TakesNumbersPastUnicodeForIllegal) {
  for (const std::string_view reference :
       {"&#x110000;", "&#1114112;", "&#4294967361;", "&#x100000041;", "&#99999999999999999999999;"}) {
    const Outcome outcome = scan_cut_everywhere(fmt::format("<a>{}</a>", reference));
    EXPECT_EQ(outcome.text, fmt::format("<a>{}</a>", fffd));
    EXPECT_EQ(outcome.replaced, 1u);
  }
}

TEST(Scanner, KeepsTheFiveEntitiesAndRefusesOthers) {
  EXPECT_EQ(scan_cut_everywhere("<a b='&quot;'>&amp;&lt;&gt;&apos;</a>").text,
            "<a b='&quot;'>&amp;&lt;&gt;&apos;</a>");
  for (const std::string_view text :
       {"<a>&nbsp;</a>", "<a>&;</a>", "<a>& b</a>", "<a>&#;</a>", "<a>&#x;</a>", "<a>&#12a;</a>",
        "<a>&#X41;</a>", "<a>&verylongname;</a>", "<a b='&lol9;'/>"}) {
    EXPECT_EQ(scan_cut_everywhere(text).error, "not-xml") << text;
  }
}

TEST(Scanner, ReplacesRawOctetsThatAreNotXml) {
  std::string text = "<a>";
  std::string wanted = "<a>";
  for (unsigned c = 0; c < 0x20; ++c) {
    text += static_cast<char>(c);
    if (c == 9 || c == 10 || c == 13) {
      wanted += static_cast<char>(c);
    } else {
      wanted += fffd;
    }
  }
  const Outcome outcome = scan_cut_everywhere(text + "</a>");
  EXPECT_EQ(outcome.text, wanted + "</a>");
  EXPECT_EQ(outcome.replaced, 29u);
}

TEST(Scanner, ReplacesWhatIsNotUtf8LikeTheRestOfTheProgramDoes) {
  for (const std::string_view bad :
       {"\x80", "\xBF\xBF", "\xC0\x80", "\xC3", "\xC3(", "\xE2\x82", "\xE2\x82z", "\xED\xA0\x80",
        "\xEF\xBF\xBE", "\xEF\xBF\xBF", "\xF0\x9F\x98", "\xF0\x9F\x98.", "\xF4\x90\x80\x80",
        "\xF8\x88\x80\x80\x80", "\xFE\xFF", "\xE2\xE2\x82\xAC", "\xF0\x9F\xC3\xA9"}) {
    std::size_t replaced = 0;
    const std::string wanted = text::to_xml_text(bad, &replaced);
    const Outcome outcome = scan_cut_everywhere(fmt::format("<a b='{}'>{}</a>", bad, bad));
    EXPECT_EQ(outcome.text, fmt::format("<a b='{}'>{}</a>", wanted, wanted));
    EXPECT_EQ(outcome.replaced, 2 * replaced);
    EXPECT_EQ(scan_cut_everywhere(fmt::format("<a><![CDATA[{}]]></a>", bad)).text,
              fmt::format("<a><![CDATA[{}]]></a>", wanted));
  }
  EXPECT_EQ(scan_cut_everywhere("<a>\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80</a>").text,
            "<a>\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80</a>");
}

TEST(Scanner, RespectsCdataAndEmptiesComments) {
  EXPECT_EQ(scan_cut_everywhere("<a><![CDATA[<b>&#0;]] ]]]></a>").text, "<a><![CDATA[<b>&#0;]] ]]]></a>");
  EXPECT_EQ(scan_cut_everywhere("<a>1<!-- <b> &#0; -- \x01\xFF ]]>\n - -->2</a>").text, "<a>1<!--\n-->2</a>");
  EXPECT_EQ(scan_cut_everywhere("<a>1<?p q?r\n?\?>2</a>").text, "<a>1<!--\n-->2</a>");
  EXPECT_EQ(scan_cut_everywhere("<?xml version='1.0'?>\n<!-- x --><a/><!-- y -->\n").text, "\n<a/>\n");
  EXPECT_EQ(scan_cut_everywhere("<a><!-- x --></a>").replaced, 0u);
}

TEST(Scanner, Invariant25RefusesADocumentTypeDeclaration) {
  for (const std::string_view text :
       {"<!DOCTYPE a><a/>", "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<!doctype html><html/>", "<a><!DOCTYPE b></a>"}) {
    EXPECT_EQ(scan_cut_everywhere(text).error, "dtd-refused") << text;
  }
  EXPECT_EQ(scan_cut_everywhere("<!ENTITY a 'b'><a/>").error, "not-xml");
}

TEST(Scanner, RefusesWhatCannotBeXml) {
  for (const std::string_view text :
       {"", " \r\n", "hello", "hello <a/>", "<a/><b/>", "<a/>b", "</a>", "<a></a></a>", "<a>< b</a>",
        "<a b='<'/>", "<a / >", "<1/>", "<![CDATA[x]]>", "<a><?xml version='1.0'?></a>",
        "<a/><?xml version='1.0'?>", "<a \x01/>", "&#32;<a/>"}) {
    EXPECT_EQ(scan_cut_everywhere(text).error, "not-xml") << text;
  }
  EXPECT_EQ(scan_cut_everywhere(std::string_view("\0\0\0", 3)).error, "not-xml");
}

TEST(Scanner, SaysTruncatedForEveryProperBeginning) {
  const std::string_view text = "<?xml version='1.0'?><a b='c'><!--d--><e/>&#65;<![CDATA[f]]>\xC3\xA9</a>";
  EXPECT_EQ(scan(text).error, "");
  for (std::size_t i = 1; i < text.size(); ++i) {
    const bool is_prologue = i == text.find("<a b");
    EXPECT_EQ(scan(text.substr(0, i)).error, is_prologue ? "not-xml" : "truncated") << i;
  }
}

TEST(Scanner, Invariant25CountsBeforeAnythingIsAllocated) {
  const auto nested = [](unsigned depth) {
    std::string text;
    for (unsigned i = 0; i < depth; ++i) text += "<a>";
    for (unsigned i = 0; i < depth; ++i) text += "</a>";
    return text;
  };
  EXPECT_EQ(scan(nested(128)).error, "");
  EXPECT_EQ(scan(nested(129)).error, "too-deep");
  EXPECT_EQ(scan(nested(1'000'000)).error, "too-deep");

  Limits limits;
  limits.elements = 3;
  EXPECT_EQ(scan("<a><b/><b/></a>", limits).error, "");
  EXPECT_EQ(scan("<a><b/><b/><b/></a>", limits).error, "too-large");
  limits = {};
  limits.attributes = 2;
  EXPECT_EQ(scan("<a b='=' c='d'/>", limits).error, "");
  EXPECT_EQ(scan("<a b='' c='' d=''/>", limits).error, "too-large");
  limits = {};
  limits.tag_octets = 16;
  EXPECT_EQ(scan("<a b='1234567'/>", limits).error, "");
  EXPECT_EQ(scan("<a b='12345678901234567'/>", limits).error, "too-large");
  EXPECT_EQ(scan("<a23456789012345678></a>", limits).error, "too-large");
  EXPECT_EQ(scan("<a></a                     >", limits).error, "too-large");
  limits = {};
  limits.octets = 10;
  EXPECT_EQ(scan("<a>123</a>", limits).error, "");
  EXPECT_EQ(scan("<a>1234</a>", limits).error, "too-large");
}

TEST(Scanner, HoldsNothingOfATagThatNeverEnds) {
  Scanner scanner;
  std::string out;
  ASSERT_TRUE(scanner.feed("<a b='", out));
  const std::string piece(8192, 'x');
  std::size_t most = 0;
  Result<void> result;
  for (int i = 0; i < 1000 && result; ++i) {
    out.clear();
    result = scanner.feed(piece, out);
    most = std::max(most, out.capacity());
  }
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "too-large");
  EXPECT_LT(most, 64u * 1024);
}

TEST(Scanner, NeverChangesBase64) {
  SeededRandom random(7);
  std::string octets(300'000, '\0');
  random.fill(std::as_writable_bytes(std::span(octets)));
  const std::string text = "<a>" + base64_encode(octets) + "</a>";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, text.size()}) {
    Scanner scanner;
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      ASSERT_TRUE(scanner.feed(std::string_view(text).substr(at, piece), out));
    }
    ASSERT_TRUE(scanner.finish(out));
    EXPECT_EQ(out, text);
    EXPECT_EQ(scanner.replaced(), 0u);
  }
}

TEST(Scanner, CountsLines) {
  EXPECT_EQ(scan_cut_everywhere("\n\n<a\nb='\n'>\n<!--\n--><?p\n?><![CDATA[\n]]>\n</a\n>\n").line, 12u);
  EXPECT_EQ(scan("<a>\n\n&x;</a>").line, 3u);
}

std::string to_utf16(std::u16string_view text, bool little) {
  std::string out;
  for (const char16_t unit : text) {
    const char low = static_cast<char>(unit & 0xFF);
    const char high = static_cast<char>(unit >> 8);
    out += little ? low : high;
    out += little ? high : low;
  }
  return out;
}

TEST(Scanner, ReadsTheEncodingsThatServersUse) {
  EXPECT_EQ(scan_cut_everywhere("\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?><a>\xC3\xA9</a>").text,
            "<a>\xC3\xA9</a>");
  EXPECT_EQ(scan_cut_everywhere("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xE9</a>").text,
            "<a>\xC3\xA9</a>");
  EXPECT_EQ(scan_cut_everywhere("<?xml version='1.0' encoding='us-ascii'?><a/>").text, "<a/>");
  // A .NET string writer says utf-16 whatever the octets are.
  EXPECT_EQ(scan_cut_everywhere("<?xml version='1.0' encoding='utf-16'?><a>\xC3\xA9</a>").text,
            "<a>\xC3\xA9</a>");
  const std::u16string utf16 = u"\xFEFF<?xml version='1.0' encoding='utf-16'?><a>\u00E9\u20AC\U0001F600</a>";
  for (const bool little : {true, false}) {
    EXPECT_EQ(scan_cut_everywhere(to_utf16(utf16, little)).text,
              "<a>\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80</a>");
    EXPECT_EQ(scan_cut_everywhere(to_utf16(utf16.substr(1), little)).text,
              "<a>\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80</a>");
  }
  std::u16string lone = u"\xFEFF<a>?x?</a>";
  lone[4] = 0xD800;
  lone[6] = 0xDC00;
  const Outcome outcome = scan_cut_everywhere(to_utf16(lone, true));
  EXPECT_EQ(outcome.text, fmt::format("<a>{}x{}</a>", fffd, fffd));
  EXPECT_EQ(outcome.replaced, 2u);
}

TEST(Scanner, RefusesOtherEncodingsAndSaysWhich) {
  for (const std::string_view name : {"windows-1252", "utf-7", "utf-32", "shift_jis", "ebcdic-cp-us"}) {
    const std::string text = fmt::format("<?xml version='1.0' encoding='{}'?><a/>", name);
    EXPECT_EQ(scan_cut_everywhere(text).error, "unsupported-encoding") << name;
    Scanner scanner;
    std::string out;
    const auto result = scanner.feed(text, out);
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().message.find(name), std::string::npos);
  }
  EXPECT_EQ(scan(std::string_view("<\0\0\0a\0\0\0", 8)).error, "unsupported-encoding");
}

TEST(Scanner, SaysWhereDocumentsEndInASequence) {
  const std::string_view text =
      "<?xml version='1.0'?><a>1</a>\r\n\xEF\xBB\xBF<?xml version='1.0'?>\n<b/><c>&#0;</c>";
  const auto split = [&](std::size_t piece) {
    std::vector<std::string> documents;
    Scanner scanner;
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      std::vector<std::size_t> ends;
      EXPECT_TRUE(scanner.feed(text.substr(at, piece), out, &ends));
      std::size_t done = 0;
      for (const std::size_t end : ends) {
        documents.emplace_back(text::trim(std::string_view(out).substr(done, end - done)));
        done = end;
      }
      out.erase(0, done);
    }
    std::vector<std::size_t> ends;
    EXPECT_TRUE(scanner.finish(out, &ends));
    return documents;
  };
  const std::vector<std::string> wanted = {"<a>1</a>", "<b/>", fmt::format("<c>{}</c>", fffd)};
  for (std::size_t piece = 1; piece <= text.size(); ++piece) EXPECT_EQ(split(piece), wanted) << piece;
}

TEST(Scanner, GivesTheSameForEveryCutOfRandomText) {
  constexpr std::string_view alphabet[] = {
      "<",    ">",   "a",         "/",    "=",         "'",     "\"",           "&",   "#",
      "x",    "4",   "1",         ";",    "!",         "-",     "[CDATA[",      "]",   "?",
      "xml",  " ",   "\n",        "\x01", "\xC3",      "\xA9",  "\xE2\x82\xAC", "<a>", "</a>",
      "<!--", "-->", "<![CDATA[", "]]>",  "&#x1F600;", "&amp;", "\xEF\xBB\xBF"};
  SeededRandom random(21);
  for (int round = 0; round < 2000; ++round) {
    std::string text = "<a>";
    const auto parts = random.below(14);
    for (std::uint64_t i = 0; i < parts; ++i) text += alphabet[random.below(std::size(alphabet))];
    text += "</a>";
    scan_cut_everywhere(text);
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace syncline::ews::xml
