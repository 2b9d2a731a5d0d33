// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "base/text.hpp"

namespace syncline::text {
namespace {

TEST(Text, EveryScalarValueSurvivesUtf8) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string octets;
    append_utf8(octets, c);
    const auto point = next_code_point(octets);
    ASSERT_TRUE(point) << static_cast<unsigned>(c);
    ASSERT_EQ(point->value, c);
    ASSERT_EQ(point->length, octets.size());
  }
}

TEST(Text, BrokenUtf8IsNotRead) {
  for (std::string_view octets : {"\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                  "\xF8\x88\x80\x80\x80", "\xE2\x82", "\xC3", "\xC3("}) {
    EXPECT_FALSE(next_code_point(octets));
    EXPECT_FALSE(is_valid_utf8(octets));
  }
}

TEST(Text, XmlTextReplacesWhatXmlCannotSay) {
  std::size_t replaced = 0;
  EXPECT_EQ(to_xml_text(std::string_view("a\0b\x01\tc\xEF\xBF\xBF\xFF", 10), &replaced),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\tc\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(replaced, 4u);
}

TEST(Text, XmlEscapesStandForThemselvesInElementsAndAttributes) {
  EXPECT_EQ(escape_for_xml("a<b>&\"c'\t\r\n\x01\xFF \xC3\xA9"),
            "a&lt;b&gt;&amp;&quot;c'&#9;&#13;&#10;\xEF\xBF\xBD\xEF\xBF\xBD \xC3\xA9");
}

TEST(Text, PercentDecodingLeavesWhatIsNoEscape) {
  EXPECT_EQ(percent_decoded("anna%2Btag%40x+y%"), "anna+tag@x+y%");
  EXPECT_EQ(percent_decoded("%4"), "%4");
  EXPECT_EQ(percent_decoded("%zz%4A%4a"), "%zzJJ");
}

TEST(Text, Invariant29DisplayEscapesControlsAndBidi) {
  EXPECT_EQ(escape_for_display("a\x1b[31m\n\xE2\x80\xAE\xC2\x9B\xFF\tz"),
            "a\\x1b[31m\\n\\u202e\\x9b\\xff\tz");
}

TEST(Text, IntegersAreWhole) {
  EXPECT_EQ(parse_int("-12"), -12);
  for (const char* text : {"", "1 ", " 1", "+1", "1x", "9223372036854775808"})
    EXPECT_FALSE(parse_int(text)) << text;
}

TEST(Text, TrimAndSplit) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim("  "), "");
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ',').size(), 1u);
}

}  // namespace
}  // namespace syncline::text
