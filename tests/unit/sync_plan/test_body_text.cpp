// SPDX-License-Identifier: GPL-3.0-or-later
// Bodies by what they say.
#include <gtest/gtest.h>

#include <string>

#include "base/random.hpp"
#include "base/text.hpp"
#include "sync/plan/body_text.hpp"

namespace syncline::sync::plan {
namespace {

model::FieldValue html(std::string_view text) {
  return boost::json::object{{"type", "html"}, {"value", text}};
}
model::FieldValue plain(std::string_view text) {
  return boost::json::object{{"type", "text"}, {"value", text}};
}

TEST(WordsOfHtml, AreWhatAReaderSees) {
  EXPECT_EQ(words_of_html("<p>a</p><p>b  c</p>"), "a b c");
  EXPECT_EQ(
      words_of_html("<html><head><title>t</title><STYLE>p{x:y}</STYLE></head><body>a<!-- b -->c</body>"),
      "a c");
  EXPECT_EQ(words_of_html("<script>if (a < b) {}</script>d"), "d");
  EXPECT_EQ(words_of_html("a &lt; b &amp;amp; c&nbsp;d &#65;&#x42; &eacute; &"),
            "a < b &amp; c d AB &eacute; &");
  EXPECT_EQ(words_of_html("&#0;&#xD800;&#x110000;&#99999999999;&#;&#x;"),
            "&#0;&#xD800;&#x110000;&#99999999999;&#;&#x;");
}

TEST(WordsOfHtml, UnfinishedMarkupEndsWithTheText) {
  for (const char* text :
       {"a<", "a<b", "a<!--", "a<!-- b", "a<style", "a<style>b", "a<script>b</scrip", "a<title>b</title"})
    EXPECT_EQ(words_of_html(text), "a") << text;
  EXPECT_EQ(words_of_html("a&"), "a&");
  EXPECT_EQ(words_of_html("a&#"), "a&#");
}

TEST(WordsOfHtml, MegaoctetsOfOpenMarkupAreReadInOnePass) {
  for (const char* piece : {"<", "<!--", "<style>", "</", "&", "&#", "<script></", "&amp;"}) {
    std::string text;
    while (text.size() < (std::size_t{1} << 20)) text += piece;
    static_cast<void>(words_of_html(text));
  }
}

TEST(WordsOfHtml, RandomOctetsDoNoHarm) {
  SeededRandom random(3);
  constexpr std::string_view pieces[] = {"<",    ">",    "!--", "-->",   "style", "script", "/",
                                         "&",    "#",    "x41", ";",     " ",     "a",      "\xc2",
                                         "\xa0", "\xff", "amp", "title", "\n"};
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint64_t left = random.below(14); left > 0; --left)
      text += pieces[random.below(std::size(pieces))];
    const std::string words = words_of_text(words_of_html(text));
    ASSERT_EQ(words, words_of_text(words));
    static_cast<void>(is_plain_copy(plain(text), html(text)));
  }
}

/// Octet by octet, as the header says it.
std::string slow_words(std::string_view text) {
  std::string out;
  bool gap = false;
  for (const char c : text) {
    if (std::string_view(" \t\n\r\f").find(c) != std::string_view::npos) {
      gap = true;
      continue;
    }
    if (gap && !out.empty()) out += ' ';
    gap = false;
    out += c;
  }
  return out;
}

TEST(WordsOfText, AreTheSameHoweverTheyLieInMemory) {
  SeededRandom random{11};
  const std::string_view alphabets[] = {"ab ", "a \n", "abcdefgh    \t", "x\x01\x1f\x21\x7f\xc3\xa9 ",
                                        "word longer "};
  for (int round = 0; round < 20000; ++round) {
    const std::string_view letters = alphabets[random.below(std::size(alphabets))];
    std::string text;
    for (std::uint64_t length = random.below(60); text.size() < length;)
      text += letters[random.below(letters.size())];
    ASSERT_EQ(words_of_text(text), slow_words(text)) << text;
  }
}

TEST(WordsOfText, BlanksAndNoBreakSpacesAreOneGap) {
  EXPECT_EQ(words_of_text(" a\t\xc2\xa0\r\n b "), "a b");
  EXPECT_EQ(words_of_text("\xc2\xa0"), "");
  EXPECT_EQ(words_of_body(nullptr), "");
  EXPECT_EQ(words_of_body(html("<p>a</p>")), words_of_body(plain("a")));
}

TEST(Invariant9Bodies, APlainCopySaysTheSameWithoutMarkup) {
  EXPECT_TRUE(is_plain_copy(plain("a bold word\n"), html("<p>a <b>bo</b>ld word</p>")));
  EXPECT_TRUE(is_plain_copy(plain("click here<https://x.example/a?b=c>."),
                            html("click <a href=\"https://x.example\">here</a>.")));
  EXPECT_TRUE(is_plain_copy(plain("[cid:image001.png@01D]\n\nhello"),
                            html("<img src=\"cid:image001.png@01D\"><p>hello")));
  EXPECT_FALSE(is_plain_copy(plain("a bold words"), html("<p>a <b>bold</b> word</p>")));
  EXPECT_FALSE(is_plain_copy(plain("hello <you>"), html("hello")));
  EXPECT_FALSE(is_plain_copy(plain("hello [1]"), html("hello")));
}

TEST(Invariant9Bodies, OnlyAPlainBodyIsTheCopyOfAFormattedOne) {
  EXPECT_FALSE(is_plain_copy(html("a"), plain("a")));
  EXPECT_FALSE(is_plain_copy(plain("a"), plain("a")));
  EXPECT_FALSE(is_plain_copy(html("a"), html("a")));
  EXPECT_FALSE(is_plain_copy(nullptr, html("")));
  EXPECT_FALSE(is_plain_copy("a", html("a")));
}

}  // namespace
}  // namespace syncline::sync::plan
