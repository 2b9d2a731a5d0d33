// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/body_structure.hpp"

#include <gtest/gtest.h>

namespace syncline::imap {
namespace {

std::optional<BodyStructure> structure_of(std::string_view text) {
  Tokens tokens;
  tokens.text() = text;
  const Limits limits{.depth = 10'000};
  if (!tokens.append_segment(0, text.size(), limits)) return std::nullopt;
  TokenCursor cursor(tokens);
  auto structure = take_body_structure(cursor);
  EXPECT_TRUE(cursor.done()) << "the cursor stands behind the list";
  return structure;
}

std::string sections(const std::optional<BodyStructure>& structure) {
  if (!structure) return "none";
  std::string text;
  for (const BodyPart& part : structure->parts)
    text += (text.empty() ? "" : " ") + part.section + "=" + part.type + "/" + part.subtype;
  return text;
}

constexpr std::string_view plain = "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 42 3)";

TEST(BodyStructure, OfASinglePart) {
  const auto structure = structure_of(plain);
  ASSERT_TRUE(structure);
  ASSERT_EQ(structure->parts.size(), 1U);
  const BodyPart& part = structure->parts[0];
  EXPECT_EQ(part.section, "1");
  EXPECT_EQ(part.parameters, (std::vector<std::pair<std::string, std::string>>{{"charset", "utf-8"}}));
  EXPECT_EQ(part.encoding, "7bit");
  EXPECT_EQ(part.octets, 42U);
}

TEST(BodyStructure, NumbersPartsAsTheServerFetchesThem) {
  // RFC 9051 section 6.4.5.1: multipart/mixed of text, application, message(mixed(text, application)), and
  // mixed(image, message(mixed(text, alternative(plain, richtext)))).
  const std::string p(plain);
  const std::string app = "(\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL \"BASE64\" 9)";
  const auto message = [](const std::string& inside) {
    return "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 100 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) " +
           inside + " 12)";
  };
  const auto multi = [](const std::string& parts, const char* kind) {
    return "(" + parts + " \"" + kind + "\" (\"BOUNDARY\" \"x\") NIL NIL)";
  };
  const std::string all =
      multi(p + app + message(multi(p + app, "MIXED")) +
                multi(app + message(multi(p + multi(p + p, "ALTERNATIVE"), "MIXED")), "MIXED"),
            "MIXED");
  EXPECT_EQ(
      sections(structure_of(all)),
      "1=text/plain 2=application/octet-stream 3=message/rfc822 3.1=text/plain 3.2=application/octet-stream "
      "4.1=application/octet-stream 4.2=message/rfc822 4.2.1=text/plain 4.2.2.1=text/plain "
      "4.2.2.2=text/plain");
  EXPECT_EQ(sections(structure_of(message(p))), "1=message/rfc822 1.1=text/plain");
}

TEST(BodyStructure, KnowsWhatLiesInsideAttachedMessages) {
  const auto structure =
      structure_of("(" + std::string(plain) + "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 9 (NIL) " +
                   std::string(plain) + " 3 NIL (\"attachment\" (\"filename\" \"a.eml\")) NIL) \"mixed\")");
  ASSERT_TRUE(structure);
  ASSERT_EQ(structure->parts.size(), 3U);
  EXPECT_FALSE(structure->parts[1].in_message);
  EXPECT_EQ(structure->parts[1].disposition, "attachment");
  EXPECT_EQ(structure->parts[1].disposition_parameters[0].second, "a.eml");
  EXPECT_TRUE(structure->parts[2].in_message);
}

TEST(BodyStructure, ReadsDispositionAndContentId) {
  const auto structure = structure_of(
      "((\"text\" \"html\" NIL NIL NIL \"7bit\" 9 1)(\"image\" \"png\" (\"name\" \"x.png\") \"<id@x>\" NIL "
      "\"base64\" "
      "100 NIL (\"inline\" (\"filename\" \"y.png\")) NIL) \"related\" (\"boundary\" \"b\") NIL NIL)");
  ASSERT_TRUE(structure);
  const BodyPart& image = structure->parts.at(1);
  EXPECT_EQ(image.content_id, "<id@x>");
  EXPECT_EQ(image.disposition, "inline");
  EXPECT_TRUE(image.in_related);
}

TEST(BodyStructure, TakesWhatServersGetWrong) {
  EXPECT_EQ(sections(structure_of("(\"TEXT\" \"PLAIN\" NIL NIL NIL NIL NIL NIL)")), "1=text/plain");
  EXPECT_EQ(sections(structure_of("(\"text\" \"plain\" NIL NIL NIL \"8bit\" 5 1 NIL \"inline\" NIL)")),
            "1=text/plain");
  EXPECT_EQ(sections(structure_of("(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 9)")), "1=message/rfc822");
  EXPECT_EQ(
      sections(structure_of("(\"text\" \"plain\" NIL NIL NIL \"8bit\" 5 1 NIL NIL NIL NIL (\"x\" (\"y\")))")),
      "1=text/plain");
}

TEST(BodyStructure, IsNothingWhereItIsNotAfterTheGrammar) {
  for (const char* text : {"()", "(())", "(\"text\")", "((\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1))",
                           "(NIL NIL)", "((((((()))))))", "(\"text\" (\"plain\"))"})
    EXPECT_FALSE(structure_of(text)) << text;
}

TEST(BodyStructure, HasALimitOfDepthAndOfParts) {
  std::string deep(plain);
  for (int i = 0; i < 99; ++i) deep = "(" + deep + " \"mixed\")";
  EXPECT_TRUE(structure_of(deep));
  for (int i = 0; i < 5; ++i) deep = "(" + deep + " \"mixed\")";
  EXPECT_FALSE(structure_of(deep));
  std::string wide;
  for (int i = 0; i < 2001; ++i) wide += plain;
  EXPECT_FALSE(structure_of("(" + wide + " \"mixed\")"));
}

}  // namespace
}  // namespace syncline::imap
