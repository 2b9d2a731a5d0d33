// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/xml/sax_reader.hpp"

#include <gtest/gtest.h>

#include "tests/unit/ews_xml/recorder.hpp"

namespace syncline::ews::xml {
namespace {

using test::Recorder;

struct Read {
  std::string seen;
  std::string error;
  std::uint64_t line;
};

Read read(std::string_view text, std::size_t piece, Documents documents = Documents::one,
          std::string refuse = "") {
  Recorder recorder;
  recorder.refuse = std::move(refuse);
  SaxReader reader(recorder, {}, documents);
  Result<void> result;
  for (std::size_t at = 0; at < text.size() && result; at += piece)
    result = reader.feed(text.substr(at, piece));
  if (result) result = reader.finish();
  return {recorder.seen, result ? "" : result.error().code, reader.line()};
}

TEST(SaxReader, ResolvesNamesAndDecodesValuesWhateverTheCuts) {
  const std::string_view text =
      "\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<s:a xmlns:s='urn:s' xmlns='urn:d' b='&amp;&#x1F600;&lt;'>"
      "x&#0;<!-- c --><![CDATA[<&>]]>&#x1F600;<c s:d='1'/></s:a>\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const Read done = read(text, piece);
    ASSERT_EQ(done.error, "");
    ASSERT_EQ(done.seen,
              "<{urn:s}a b=&\xF0\x9F\x98\x80<>x\xEF\xBF\xBD<&>\xF0\x9F\x98\x80<{urn:d}c d=1></></>|")
        << piece;
  }
}

TEST(SaxReader, TellsWhatWasCompleteBeforeTheFaultAndWhere) {
  const Read mismatched = read("<a>\n<b>1</b>\n<c></d></a>", 1000);
  EXPECT_EQ(mismatched.error, "not-xml");
  EXPECT_EQ(mismatched.line, 3u);
  EXPECT_TRUE(mismatched.seen.starts_with("<a>\n<b>1</>")) << mismatched.seen;

  const Read truncated = read("<a>\n<b>1</b>\n<c>", 1000);
  EXPECT_EQ(truncated.error, "truncated");
  EXPECT_TRUE(truncated.seen.starts_with("<a>\n<b>1</>")) << truncated.seen;

  const Read scanner = read("<a>\n<b>1</b>\n\n&nbsp;", 1000);
  EXPECT_EQ(scanner.error, "not-xml");
  EXPECT_EQ(scanner.line, 4u);
  EXPECT_TRUE(scanner.seen.starts_with("<a>\n<b>1</>")) << scanner.seen;

  const Read refused = read("<a>\n<html/></a>", 1000, Documents::one, "html");
  EXPECT_EQ(refused.error, "not-soap");
  EXPECT_EQ(refused.line, 2u);
}

TEST(SaxReader, ReadsAnUndeclaredPrefixLeniently) {
  const Read done = read("<m:a><m:b/></m:a>", 1000);
  EXPECT_EQ(done.error, "");
  EXPECT_EQ(done.seen, "<a><b></></>|");
}

TEST(SaxReader, ReadsDocumentsOneAfterTheOther) {
  const std::string_view text =
      "<?xml version='1.0'?>\n<a>1</a>\r\n<?xml version='1.0'?><b/>\n<c>\n<d></e></c>";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const Read done = read(text, piece, Documents::sequence);
    ASSERT_EQ(done.error, "not-xml");
    ASSERT_EQ(done.line, 5u) << piece;
    ASSERT_TRUE(done.seen.starts_with("<a>1</>|<b></>|<c>\n<d>")) << done.seen;
  }
  EXPECT_EQ(read("", 1, Documents::sequence).error, "");
  EXPECT_EQ(read("", 1).error, "not-xml");
  EXPECT_EQ(read("<a/><b/>", 10).error, "not-xml");
}

TEST(SaxReader, RefusesMoreDifferentNamesThanAreReasonable) {
  Recorder recorder;
  SaxReader reader(recorder);
  Result<void> result = reader.feed("<a>");
  for (int i = 0; i < 200'000 && result; ++i) {
    recorder.seen.clear();
    result = reader.feed(fmt::format("<n{:0100}/>", i));
  }
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "too-large");
}

TEST(SaxReader, ExpandsNoEntityAndOpensNothing) {
  for (const std::string_view bomb :
       {"<!DOCTYPE a [<!ENTITY b 'bbbbbbbbbb'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;&c;</a>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"}) {
    const Read done = read(bomb, 7);
    EXPECT_EQ(done.error, "dtd-refused");
    EXPECT_EQ(done.seen, "");
  }
}

}  // namespace
}  // namespace syncline::ews::xml
