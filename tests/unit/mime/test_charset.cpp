// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "base/text.hpp"
#include "mime/charset.hpp"

namespace syncline::mime {
namespace {

std::string read(std::string_view octets, std::string_view label, std::string_view hint = {}) {
  return to_utf8(octets, label, hint).utf8;
}

TEST(Charset, IsWhatSendersMeanByItsLabel) {
  EXPECT_EQ(read("\x80 \x93quoted\x94", "iso-8859-1"), "\u20AC \u201Cquoted\u201D");
  EXPECT_EQ(read("\x80 \x93quoted\x94", "Windows-1252"), "\u20AC \u201Cquoted\u201D");
  // A character of GB18030 that GB2312 does not have, under GB2312's label.
  EXPECT_EQ(read("\xD6\xEC\xE9\x46\xBB\xF9", "gb2312"), "\u6731\u9555\u57FA");
  EXPECT_EQ(read("\x8D\x4C", "ks_c_5601-1987"), read("\x8D\x4C", "cp949"));
  EXPECT_EQ(read("\x87\x40", "shift_jis"), "\u2460");
  EXPECT_EQ(read("\x1B$B$3$s\x1B(B", "iso-2022-jp"), "\u3053\u3093");
  EXPECT_EQ(read("\xF0\xD2\xC9\xD7\xC5\xD4", "koi8-r"), "\u041F\u0440\u0438\u0432\u0435\u0442");
  EXPECT_EQ(read("+AGEAYgBj-", "utf-7"), "abc");
  EXPECT_EQ(read("\xA4\xA4", "big5"), "\u4E2D");
  EXPECT_EQ(read("\"quoted\"", "\"utf-8\""), "\"quoted\"");
}

TEST(Charset, IsGuessedWhereNothingIsSaid) {
  EXPECT_EQ(read("J\xC3\xB6rg", ""), "J\u00F6rg");
  EXPECT_EQ(read("J\xF6rg", ""), "J\u00F6rg");
  EXPECT_EQ(read("J\xF6rg", "us-ascii"), "J\u00F6rg");
  EXPECT_EQ(read("\x1B$B$3$s\x1B(B", ""), "\u3053\u3093");
  EXPECT_EQ(read("\xF0\xD2\xC9\xD7\xC5\xD4", "", "koi8-r"), "\u041F\u0440\u0438\u0432\u0435\u0442");
  EXPECT_TRUE(to_utf8("J\xC3\xB6rg", "").defects.empty());
}

TEST(Charset, ThatIsWrongIsMarkedAndSomethingIsRead) {
  const DecodedText not_utf8 = to_utf8("J\xF6rg", "utf-8");
  EXPECT_EQ(not_utf8.utf8, "J\u00F6rg");
  EXPECT_TRUE(not_utf8.defects.has(Defect::bad_charset));
  const DecodedText broken = to_utf8("J\xC3\xB6rg \xFF.", "utf-8");
  EXPECT_EQ(broken.utf8, "J\u00F6rg \uFFFD.");
  EXPECT_TRUE(broken.defects.has(Defect::bad_charset));
  const DecodedText unknown = to_utf8("J\xF6rg", "klingon-1");
  EXPECT_EQ(unknown.utf8, "J\u00F6rg");
  EXPECT_TRUE(unknown.defects.has(Defect::unknown_charset));
  const DecodedText cut = to_utf8("\xA4\xA4\xA4", "big5");
  EXPECT_EQ(cut.utf8, "\u4E2D\uFFFD");
  EXPECT_TRUE(cut.defects.has(Defect::bad_charset));
}

TEST(Charset, LabelNeverReachesTheLibraryAsOptions) {
  EXPECT_TRUE(to_utf8("a\xF6", "utf-8//TRANSLIT").defects.has(Defect::unknown_charset));
  EXPECT_TRUE(to_utf8("a\xF6", "../../etc/passwd").defects.has(Defect::unknown_charset));
  EXPECT_TRUE(to_utf8("a\xF6", std::string(100'000, 'x')).defects.has(Defect::unknown_charset));
}

TEST(Charset, AnyOctetsInAnyCharsetGiveValidUtf8) {
  SeededRandom random(5);
  for (const char* label :
       {"",        "utf-8",     "us-ascii",    "iso-8859-1",  "iso-8859-2",   "gb2312",    "gb18030",
        "big5",    "shift_jis", "iso-2022-jp", "iso-2022-kr", "euc-jp",       "euc-kr",    "koi8-r",
        "utf-7",   "utf-16",    "utf-16le",    "utf-32",      "windows-1255", "macintosh", "hz-gb-2312",
        "tis-620", "nonsense"}) {
    for (int round = 0; round < 50; ++round) {
      std::string octets(random.below(200), '\0');
      random.fill(std::as_writable_bytes(std::span(octets)));
      EXPECT_TRUE(text::is_valid_utf8(read(octets, label, "koi8-r"))) << label;
    }
  }
}

TEST(HtmlCharset, IsTakenFromThePageItself) {
  EXPECT_EQ(
      charset_of_html("<html><head><META http-equiv=Content-Type content=\"text/html; charset=koi8-r\">"),
      "koi8-r");
  EXPECT_EQ(charset_of_html("<meta name=x><meta charset='GB2312'/>"), "gb2312");
  EXPECT_EQ(charset_of_html("<p>charset=koi8-r</p>"), "");
  EXPECT_EQ(charset_of_html("<meta charset=utf-16>"), "utf-8");
}

}  // namespace
}  // namespace syncline::mime
