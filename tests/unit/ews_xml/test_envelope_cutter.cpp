// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/xml/envelope_cutter.hpp"

#include <gtest/gtest.h>

namespace syncline::ews::xml {
namespace {

std::vector<std::string> cut(std::string_view text, std::size_t piece, std::string* error = nullptr,
                             Limits limits = {}) {
  EnvelopeCutter cutter(limits);
  std::vector<std::string> envelopes;
  Result<void> result;
  for (std::size_t at = 0; at < text.size() && result; at += piece) {
    result = cutter.feed(text.substr(at, piece));
    while (auto envelope = cutter.next()) envelopes.push_back(*envelope);
  }
  if (result) result = cutter.finish();
  while (auto envelope = cutter.next()) envelopes.push_back(*envelope);
  if (error != nullptr) *error = result ? "" : result.error().code;
  return envelopes;
}

constexpr std::string_view body =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><Envelope a='</Envelope>'><!-- </Envelope> "
    "--><b>&#x1;</b></Envelope>\r\n\r\n"
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s='u'><![CDATA[</s:Envelope>]]></s:Envelope>"
    "<Envelope/>";

TEST(EnvelopeCutter, GivesTheSameEnvelopesForEveryCut) {
  const std::vector<std::string> wanted = {"<Envelope a='</Envelope>'><!----><b>\xEF\xBF\xBD</b></Envelope>",
                                           "<s:Envelope xmlns:s='u'><![CDATA[</s:Envelope>]]></s:Envelope>",
                                           "<Envelope/>"};
  // An attribute's value may not hold a '<'; the first form is refused, the escaped one is read.
  std::string error;
  EXPECT_TRUE(cut(body, 10, &error).empty());
  EXPECT_EQ(error, "not-xml");
  std::string text(body);
  text.replace(text.find("'</Env"), 2, "'&lt;");
  std::vector<std::string> expected = wanted;
  expected[0].replace(expected[0].find("'</Env"), 2, "'&lt;");
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    ASSERT_EQ(cut(text, piece, &error), expected) << piece;
    ASSERT_EQ(error, "");
  }
}

TEST(EnvelopeCutter, GivesAnEnvelopeWhenItsLastOctetIsThere) {
  EnvelopeCutter cutter;
  ASSERT_TRUE(cutter.feed("<a><b/></a"));
  EXPECT_EQ(cutter.next(), std::nullopt);
  ASSERT_TRUE(cutter.feed(">"));
  EXPECT_EQ(cutter.next(), "<a><b/></a>");
  EXPECT_EQ(cutter.next(), std::nullopt);
}

TEST(EnvelopeCutter, GivesWhatWasCompleteBeforeAFault) {
  std::string error;
  EXPECT_EQ(cut("<a/><b/><c", 100, &error), (std::vector<std::string>{"<a/>", "<b/>"}));
  EXPECT_EQ(error, "truncated");
  EXPECT_EQ(cut("<a/><b/><!DOCTYPE c>", 100, &error), (std::vector<std::string>{"<a/>", "<b/>"}));
  EXPECT_EQ(error, "dtd-refused");
  EXPECT_TRUE(cut("", 1, &error).empty());
  EXPECT_EQ(error, "");
  EXPECT_TRUE(cut("<html>", 1, &error).empty());
  EXPECT_EQ(error, "truncated");
}

TEST(EnvelopeCutter, LimitsEachEnvelopeAndNotTheirNumber) {
  Limits limits;
  limits.octets = 64;
  limits.elements = 2;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "<a><b/></a>\r\n";
  std::string error;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{50}, std::size_t{5000}}) {
    EXPECT_EQ(cut(text, piece, &error, limits).size(), 1000u);
    EXPECT_EQ(error, "");
  }
  EXPECT_EQ(cut("<a/><a><b/><b/></a>", 3, &error, limits).size(), 1u);
  EXPECT_EQ(error, "too-large");
  cut("<a/><a>" + std::string(100, 'x') + "</a>", 3, &error, limits);
  EXPECT_EQ(error, "too-large");
}

TEST(EnvelopeCutter, DoesNotPileUpBlanks) {
  EnvelopeCutter cutter;
  const std::string blanks(4096, '\n');
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(cutter.feed(blanks));
  ASSERT_TRUE(cutter.feed("<a/>"));
  EXPECT_EQ(cutter.next(), "<a/>");
}

}  // namespace
}  // namespace syncline::ews::xml
