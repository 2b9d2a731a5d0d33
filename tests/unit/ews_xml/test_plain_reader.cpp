// SPDX-License-Identifier: GPL-3.0-or-later
// What the plain reader takes, libxml2 takes, and both tell the same.
#include "ews/xml/plain_reader.hpp"

#include <gtest/gtest.h>

#include <random>

#include "ews/xml/scanner.hpp"
#include "tests/unit/ews_xml/recorder.hpp"

namespace syncline::ews::xml {
namespace {

using test::Recorder;

struct Told {
  std::string seen;
  std::string error;
};
Told plainly(std::string_view document) {
  Recorder recorder;
  const auto done = read_plain(document, recorder);
  return {recorder.seen, done ? "" : done.error().code};
}
Told by_libxml2(std::string_view document) {
  Recorder recorder;
  SaxReader reader(recorder);
  Result<void> done = reader.feed(document);
  if (done) done = reader.finish();
  return {recorder.seen, done ? "" : done.error().code};
}

TEST(PlainReader, TellsWhatLibxml2TellsOfBulkReplies) {
  for (
      const std::string_view document : {
          R"(<a/>)",
          R"(<?xml version="1.0" encoding="utf-8"?><a><b> x </b>  <c></c ></a> )",
          "\xEF\xBB\xBF<a>\xC3\xA9\xF0\x9F\x98\x80</a>\n",
          R"(<s:a xmlns:s='urn:s' xmlns="urn:d" b="1 'two'" c='"'><c d=""/><s:c xmlns:s="urn:other"/><s:c/></s:a>)",
          R"(<a>&amp;&lt;&gt;&quot;&apos;&#233;&#x1F600;&#13;x&#10;</a>)",
          R"(<a xmlns="urn:1"><a xmlns="urn:2"><a/></a><a/></a>)",
          R"(<a b="&amp;1 &#10;&quot;" c="&lt;"/>)",
          R"(<a-b.c_1 x-y.z_2="v">]] ></a-b.c_1>)",
      }) {
    const Told plain = plainly(document);
    EXPECT_EQ(plain.error, "") << document;
    EXPECT_EQ(plain.seen, by_libxml2(document).seen) << document;
  }
}

TEST(PlainReader, LeavesToOthersWhatIsOutOfTheOrdinary) {
  std::string deep, wide = "<a";
  for (int i = 0; i < 65; ++i) deep += "<a>";
  for (int i = 0; i < 65; ++i) deep += "</a>";
  for (int i = 0; i < 17; ++i) wide += " a" + std::to_string(i) + "='1'";
  wide += "/>";
  for (const std::string_view document : std::initializer_list<std::string_view>{
           "",
           "x",
           " <a>",
           "<a>",
           "<a></b>",
           "<a></a",
           "<a></a>x",
           "<a/><a/>",
           "</a>",
           "<",
           "<a",
           "<a /",
           "<a b>",
           "<a b=1>",
           "<a b='1'c='2'/>",
           "<a b='1' b='2'/>",
           "<a b='<'/>",
           "<a b='&x;'/>",
           "<a xmlns='urn:&amp;'/>",
           "<a b='\n'/>",
           "<a b = '1'/>",
           "<p:a/>",
           "<a p:b='1' xmlns:p='urn:p'/>",
           "<a xmlns:p=''/>",
           "<a xmlns:p='urn:p' xmlns:p='urn:q'/>",
           "<a xmlns:xml='urn:p'/>",
           "<a xmlns:p='urn:p'/><p:a/>",
           "<a><p:b xmlns:p='urn:p'/><p:b/></a>",
           "<a:b:c/>",
           "<:a/>",
           "<a:/>",
           "<1/>",
           "<\xC3\xA9/>",
           "<a><!-- c --></a>",
           "<a><![CDATA[x]]></a>",
           "<a><?pi?></a>",
           "<!DOCTYPE a><a/>",
           "<?xml version='1.0'<a/>?><a/>",
           "<a>&nbsp;</a>",
           "<a>&</a>",
           "<a>&#;</a>",
           "<a>&#x;</a>",
           "<a>&#0;</a>",
           "<a>&#xD800;</a>",
           "<a>&#99999999999;</a>",
           "<a>]]></a>",
           "<a>\r</a>",
           "<a>\x01</a>",
           "<a>\xFF</a>",
           "<a>\xEF\xBF\xBE</a>",
           deep,
           wide,
       })
    EXPECT_EQ(plainly(document).error, "not-plain") << document;
}

TEST(PlainReader, EndsWithTheHandlersError) {
  Recorder recorder;
  recorder.refuse = "b";
  const auto done = read_plain("<a><b/></a>", recorder);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "not-soap");
}

/// Pieces of XML put together at random: many are documents, most are nearly.
TEST(PlainReader, TakesNothingThatLibxml2WouldReadOtherwise) {
  constexpr std::string_view pieces[] = {"<a>",
                                         "</a>",
                                         "<b x='1'>",
                                         "</b>",
                                         "<p:c xmlns:p='urn:p'>",
                                         "</p:c>",
                                         "<p:d/>",
                                         "<e y=\"2\"  z='3' />",
                                         " ",
                                         "text",
                                         "&amp;",
                                         "&#65;",
                                         "&#x41;",
                                         "]]>",
                                         "]]",
                                         "\n",
                                         "\t",
                                         "&",
                                         "<",
                                         ">",
                                         "'",
                                         "\"",
                                         "/",
                                         "=",
                                         "xmlns='urn:d'",
                                         "<f xmlns='urn:f'>",
                                         "</f>",
                                         "\xC3\xA9",
                                         "<g/",
                                         "<!---->",
                                         "<?x?>"};
  std::mt19937 random(7);
  std::size_t taken = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string document = "<r>";
    const std::size_t count = random() % 9;
    for (std::size_t i = 0; i < count; ++i) document += pieces[random() % std::size(pieces)];
    document += "</r>";
    if (random() % 4 == 0) document.erase(random() % document.size(), 1);
    const Told plain = plainly(document);
    if (!plain.error.empty()) continue;
    ++taken;
    const Told other = by_libxml2(document);
    ASSERT_EQ(other.error, "") << document;
    ASSERT_EQ(plain.seen, other.seen) << document;
  }
  EXPECT_GT(taken, 1000u);
}

}  // namespace
}  // namespace syncline::ews::xml
