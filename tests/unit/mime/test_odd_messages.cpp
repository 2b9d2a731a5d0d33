// SPDX-License-Identifier: GPL-3.0-or-later
// Messages that are wrong in every way that was seen, and some that were not: there is always a message, and
// the defects say what was wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/random.hpp"
#include "base/text.hpp"
#include "mime/reader.hpp"

namespace syncline::mime {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

Message read(std::string_view octets, Limits limits = {}) {
  ReadOptions options;
  options.limits = limits;
  auto message = read_message(octets, std::move(options));
  EXPECT_TRUE(message);
  return message ? *std::move(message) : Message();
}

/// The same however it comes.
Message read_both_ways(std::string_view octets) {
  const Message whole = read(octets);
  MessageReader reader;
  for (const char c : octets) EXPECT_TRUE(reader.feed(std::string_view(&c, 1)));
  const auto pieces = reader.finish();
  EXPECT_TRUE(pieces);
  EXPECT_EQ(pieces->defects, whole.defects);
  EXPECT_EQ(pieces->subject, whole.subject);
  EXPECT_EQ(pieces->headers, whole.headers);
  EXPECT_EQ(pieces->text.has_value(), whole.text.has_value());
  EXPECT_EQ(pieces->text.value_or(BodyText()).value, whole.text.value_or(BodyText()).value);
  EXPECT_EQ(pieces->attachments.size(), whole.attachments.size());
  return whole;
}

constexpr std::string_view head =
    "From: a@b.test\nDate: Sun, 22 Nov 2026 10:00:00 +0000\nMessage-ID: <1@b.test>\n";
std::string with_head(std::string_view rest) {
  return std::string(head) + std::string(rest);
}

TEST(OddMessage, EmptyFileIsAMessageWithoutAnything) {
  const Message message = read_both_ways("");
  EXPECT_EQ(message.text->value, "");
  EXPECT_TRUE(message.defects.has(Defect::no_headers));
  EXPECT_EQ(message.subject, std::nullopt);
  EXPECT_EQ(message.date, std::nullopt);
  EXPECT_FALSE(message.key().empty());
}

TEST(OddMessage, WithoutAnyHeaderIsText) {
  const Message message = read_both_ways("Just some text\nof two lines\n\nand a third\n");
  EXPECT_EQ(message.text->value, "Just some text\nof two lines\n\nand a third\n");
  EXPECT_TRUE(message.defects.has(Defect::no_headers));
  EXPECT_EQ(read_both_ways("\nbody only\n").text->value, "body only\n");
  EXPECT_EQ(read_both_ways("one line").text->value, "one line");
}

TEST(OddMessage, LineThatIsNoFieldEndsTheHeaderAndLosesNothing) {
  const Message message = read_both_ways(with_head("Subject: s\nThis is the body\nof two lines\n\nreally\n"));
  EXPECT_EQ(message.subject, "s");
  EXPECT_EQ(message.text->value, "This is the body\nof two lines\n\nreally\n");
  EXPECT_THAT(message.defects.list(), ElementsAre(Defect::missing_separator));
}

TEST(OddMessage, LineThatIsNoFieldInAPartLosesNothing) {
  const Message message =
      read_both_ways(with_head("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: "
                               "text/plain\nbody without a line before it\n--b\nno header at "
                               "all\n\nx\n--b--\n"));
  EXPECT_EQ(message.text->value, "body without a line before it");
  EXPECT_TRUE(message.defects.has(Defect::missing_separator));
  ASSERT_EQ(message.attachments.size(), 1U);
  EXPECT_EQ(message.attachments[0].size, std::string_view("no header at all\n\nx").size());
}

TEST(OddMessage, RubbishAmongHeaderLinesIsPassedOver) {
  const Message folded =
      read_both_ways("Subject: a long\nsubject that lost its blank\nFrom: a@b.test\n\nbody\n");
  EXPECT_EQ(folded.subject, "a long");
  EXPECT_EQ(folded.from->at(0).address, "a@b.test");
  EXPECT_EQ(folded.text->value, "body\n");
  EXPECT_TRUE(folded.defects.has(Defect::bad_header_line));
  const Message status = read_both_ways("+OK 1234 octets\nSubject: s\nFrom: a@b.test\n\nbody\n");
  EXPECT_EQ(status.subject, "s");
  EXPECT_EQ(status.text->value, "body\n");
  const Message mbox = read_both_ways("From a@b.test Sun Nov 22 10:00:00 2026\nSubject: s\n\nbody\n");
  EXPECT_EQ(mbox.subject, "s");
  EXPECT_FALSE(mbox.defects.has(Defect::bad_header_line));
}

TEST(OddMessage, LinesThatEndWithCrAloneAreLines) {
  const Message message = read_both_ways(
      "Subject: s\rFrom: a@b.test\rContent-Type: multipart/mixed; boundary=b\r\r--b\r\rtext\r--b--\r");
  EXPECT_EQ(message.subject, "s");
  EXPECT_EQ(message.from->at(0).address, "a@b.test");
  EXPECT_EQ(message.text->value, "text");
  EXPECT_TRUE(message.defects.has(Defect::bare_cr));
  // One CR in a file of lines is no line end.
  EXPECT_EQ(read_both_ways("Subject: a\rb\nFrom: a@b.test\n\nx\ry\n").subject, "a b");
}

TEST(OddMessage, MissingOrBadDateIsMarked) {
  const Message bad = read_both_ways("From: a@b.test\nDate: the day before yesterday\nMessage-ID: <1@b>\n\n");
  EXPECT_EQ(bad.date, std::nullopt);
  EXPECT_TRUE(bad.defects.has(Defect::bad_date));
  EXPECT_FALSE(bad.defects.has(Defect::missing_date));
  const Message missing = read_both_ways("From: a@b.test\nMessage-ID: <1@b>\n\n");
  EXPECT_EQ(missing.date, std::nullopt);
  EXPECT_THAT(missing.defects.list(), ElementsAre(Defect::missing_date));
}

TEST(OddMessage, WithoutMessageIdIsToldApartByAllItsOctets) {
  // Same sender, subject and second: two messages all the same.
  const std::string same = "From: a@b.test\nSubject: s\nDate: Sun, 22 Nov 2026 10:00:00 +0000\n\n";
  const Message one = read(same + "one\n");
  const Message two = read(same + "two\n");
  EXPECT_TRUE(one.defects.has(Defect::missing_message_id));
  EXPECT_TRUE(one.key().starts_with("sha256:"));
  EXPECT_NE(one.key(), two.key());
  EXPECT_EQ(one.key(), read(same + "one\n").key());
  EXPECT_EQ(read("Message-ID:  \n\n").key().substr(0, 7), "sha256:");
}

TEST(OddMessage, RepeatedFieldsTheFirstHoldsAndListsAreJoined) {
  const Message message =
      read_both_ways("Subject: one\nSubject: two\nTo: a@b.test\nTo: c@d.test\nFrom: x@y.test\n\n");
  EXPECT_EQ(message.subject, "one");
  EXPECT_EQ(message.to->size(), 2U);
  EXPECT_TRUE(message.defects.has(Defect::duplicate_header));
}

TEST(OddMessage, MultipartWithoutBoundaryIsText) {
  const Message message = read_both_ways(with_head("Content-Type: multipart/mixed\n\n--b\n\ntext\n"));
  EXPECT_EQ(message.text->value, "--b\n\ntext\n");
  EXPECT_THAT(message.defects.list(), ElementsAre(Defect::missing_boundary));
  EXPECT_TRUE(read_both_ways(with_head("Content-Type: multipart/mixed; boundary=\"\"\n\nx"))
                  .defects.has(Defect::missing_boundary));
}

TEST(OddMessage, CutOffMultipartKeepsWhatIsThere) {
  const std::string start = with_head(
      "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: image/png\n\n12345");
  const Message message = read_both_ways(start);
  EXPECT_EQ(message.text->value, "text");
  EXPECT_EQ(message.attachments.at(0).size, 5U);
  EXPECT_THAT(message.defects.list(), ElementsAre(Defect::unfinished_multipart));
  for (std::size_t cut = 0; cut < start.size(); ++cut) read_both_ways(start.substr(0, cut));
  // Cut right behind a delimiter: no part, and no empty body.
  EXPECT_EQ(read_both_ways(with_head("Content-Type: multipart/mixed; boundary=b\n\n--b")).text, std::nullopt);
}

TEST(OddMessage, OuterDelimiterEndsWhatIsInside) {
  const Message message =
      read_both_ways(with_head("Content-Type: multipart/mixed; boundary=out\n\n--out\nContent-Type: "
                               "multipart/alternative; boundary=in\n\n--in\n\ntext\n--out\n"
                               "Content-Type: image/png\n\nxyz\n--out--\n"));
  EXPECT_EQ(message.text->value, "text");
  EXPECT_EQ(message.attachments.at(0).size, 3U);
  EXPECT_THAT(message.defects.list(), ElementsAre(Defect::unfinished_multipart));
}

TEST(OddMessage, BoundariesThatBeginAlikeAreToldApart) {
  const Message message =
      read_both_ways(with_head("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: "
                               "multipart/alternative; boundary=bb\n\n--bb\n\ntext\n--b-\n--bbb\n"
                               "--bb--\n--b  \nContent-Type: image/png\n\nxyz\n--b--\t\n"));
  EXPECT_EQ(message.text->value, "text\n--b-\n--bbb");
  EXPECT_EQ(message.attachments.at(0).size, 3U);
  EXPECT_TRUE(message.defects.empty());
}

TEST(OddMessage, WrongEncodingsAreReadAsFarAsTheyGo) {
  const auto body = [](std::string_view encoding, std::string_view octets) {
    return read_both_ways(
        with_head("Content-Transfer-Encoding: " + std::string(encoding) + "\n\n" + std::string(octets)));
  };
  EXPECT_EQ(body("base64", "SGVs*bG8").text->value, "Hello");
  EXPECT_TRUE(body("base64", "SGVs*bG8").defects.has(Defect::bad_base64));
  EXPECT_EQ(body("quoted-printable", "a=ZZ").text->value, "a=ZZ");
  EXPECT_TRUE(body("quoted-printable", "a=ZZ").defects.has(Defect::bad_quoted_printable));
  EXPECT_EQ(body("rot13", "Uryyb").text->value, "Uryyb");
  EXPECT_TRUE(body("rot13", "Uryyb").defects.has(Defect::unknown_encoding));
}

TEST(OddMessage, WrongCharsetsAreReadAndMarked) {
  const auto body = [](std::string_view charset, std::string_view octets) {
    return read_both_ways(with_head("Content-Type: text/plain; charset=" + std::string(charset) + "\n\n" +
                                    std::string(octets)));
  };
  EXPECT_TRUE(body("klingon", "J\xF6rg").defects.has(Defect::unknown_charset));
  EXPECT_TRUE(body("utf-8", "J\xF6rg").defects.has(Defect::bad_charset));
  EXPECT_EQ(body("utf-8", "J\xF6rg").text->value, "J\u00F6rg");
  EXPECT_EQ(body("gb2312", "\xE9\x46").text->value, "\u9555");
  EXPECT_EQ(read_both_ways(with_head(std::string_view("\na\0b\n", 5))).text->value,
            "a\uFFFD"
            "b\n");
}

TEST(OddMessage, NonsenseForAContentTypeIsText) {
  for (const char* type :
       {"text", "", ";;;", "/", "text/", "plain", "text\\plain", "\"text/plain", "\xFF\xFE"}) {
    const Message message = read_both_ways(with_head("Content-Type: " + std::string(type) + "\n\nbody"));
    EXPECT_EQ(message.text->value, "body") << type;
    EXPECT_TRUE(message.defects.has(Defect::bad_content_type)) << type;
  }
}

TEST(OddMessage, DepthAndNumberOfPartsAreBounded) {
  std::string deep = with_head("");
  for (int i = 0; i < 20'000; ++i) {
    const std::string boundary = "b" + std::to_string(i);
    deep += "Content-Type: multipart/mixed; boundary=" + boundary + "\n\n--" + boundary + "\n";
  }
  const Message nested = read(deep);
  EXPECT_TRUE(nested.defects.has(Defect::too_deep));
  ASSERT_EQ(nested.attachments.size(), 1U);
  EXPECT_EQ(nested.attachments[0].type, "multipart/mixed");

  std::string wide = with_head("Content-Type: multipart/mixed; boundary=b\n\n");
  for (int i = 0; i < 50; ++i) wide += "--b\nContent-Type: image/png\n\nx\n";
  Limits limits;
  limits.parts = 11;
  const Message many = read(wide + "--b--\n", limits);
  EXPECT_TRUE(many.defects.has(Defect::too_many_parts));
  EXPECT_EQ(many.attachments.size(), 10U);
  limits.parts = 51;
  EXPECT_FALSE(read(wide + "--b--\n", limits).defects.has(Defect::too_many_parts));
}

TEST(OddMessage, HeadersAreBounded) {
  Limits limits;
  limits.field_octets = 100;
  limits.fields = 10;
  limits.header_octets = 10'000;
  const Message long_field =
      read("Subject: " + std::string(1'000'000, 'x') + "\nFrom: a@b.test\n\nbody", limits);
  EXPECT_EQ(long_field.subject->size(), 100U);
  EXPECT_EQ(long_field.from->at(0).address, "a@b.test");
  EXPECT_EQ(long_field.text->value, "body");
  EXPECT_TRUE(long_field.defects.has(Defect::header_too_large));
  std::string many;
  for (int i = 0; i < 100; ++i) many += "X-" + std::to_string(i) + ": y\n z\n";
  EXPECT_EQ(read(many + "\nbody", limits).headers.size(), 10U);
  EXPECT_EQ(read(many + "\nbody", limits).text->value, "body");
  // Endless lines of every kind.
  for (const char* start : {"Subject: ", "", " ", "-", "x", "\r", ":"})
    EXPECT_LE(read(start + std::string(500'000, start[0] == ' ' ? ' ' : 'x'), limits).headers.size(), 1U);
}

TEST(OddMessage, LongNameOfAnAttachmentIsCut) {
  const Message message =
      read(with_head("Content-Type: image/png\nContent-Disposition: attachment; filename*=utf-8''" + [] {
        std::string name;
        for (int i = 0; i < 4'000; ++i) name += "%C3%B6";
        return name;
      }() + "\n\nx"));
  EXPECT_EQ(message.attachments.at(0).name.size(), Limits().name_octets);
  EXPECT_TRUE(text::is_valid_utf8(message.attachments[0].name));
  EXPECT_TRUE(message.defects.has(Defect::name_cut));
}

TEST(OddMessage, BodyIsCutAtACharacter) {
  Limits limits;
  limits.text_octets = 100;
  const Message letters = read("\n" + std::string(99, 'x') + "\xC3\xB6\n", limits);
  EXPECT_EQ(letters.text->value, std::string(99, 'x'));
  EXPECT_TRUE(letters.text->is_cut);
  EXPECT_FALSE(letters.defects.has(Defect::bad_charset));
  EXPECT_FALSE(read("\n" + std::string(100, 'x'), limits).text->is_cut);
  EXPECT_TRUE(read("\n" + std::string(101, 'x'), limits).text->is_cut);
  // Latin-1 grows on the way to UTF-8, control characters on the way to a record.
  EXPECT_EQ(read("Content-Type: text/plain; charset=iso-8859-1\n\n" + std::string(100, '\xF6'), limits)
                .text->value.size(),
            100U);
  EXPECT_EQ(read("\n" + std::string(100, '\x01'), limits).text->value.size(), 33U);
}

TEST(OddMessage, WhiteSpaceLineInAFoldedFieldDoesNotEndTheHeader) {
  const Message message = read_both_ways("Subject: a\n \n b\nFrom: a@b.test\n\nbody");
  EXPECT_EQ(message.subject, "a  b");
  EXPECT_EQ(message.text->value, "body");
}

TEST(OddMessage, AnyOctetsAreAMessage) {
  SeededRandom random(23);
  const std::string_view pieces[] = {"From: ",
                                     "a@b.test",
                                     "\r\n",
                                     "\n",
                                     "\r",
                                     "Subject: ",
                                     "=?utf-8?Q?=C3?=",
                                     "=?",
                                     "?=",
                                     "--b",
                                     "--b--",
                                     "Content-Type: multipart/mixed; boundary=b\n\n",
                                     "Content-Type: ",
                                     "text/plain",
                                     "; charset=",
                                     "message/rfc822",
                                     "Content-Transfer-Encoding: base64\n",
                                     "quoted-printable",
                                     "\xFF\xFE",
                                     "\xC3",
                                     "\0x",
                                     " ",
                                     "\t",
                                     ":",
                                     ";",
                                     "\"",
                                     "(",
                                     "<",
                                     "=",
                                     "AAAA",
                                     "Date: Sun, 22 Nov 2026 10:00:00 +0000\n"};
  for (int round = 0; round < 5'000; ++round) {
    std::string octets;
    for (std::uint64_t i = random.below(40); i > 0; --i) octets += pieces[random.below(std::size(pieces))];
    const Message message = read_both_ways(octets);
    EXPECT_TRUE(text::is_valid_utf8(message.subject.value_or("")));
    EXPECT_TRUE(text::is_valid_utf8(message.text.value_or(BodyText()).value));
    EXPECT_TRUE(text::is_valid_utf8(message.message_id.value_or("")));
    for (const Attachment& one : message.attachments)
      EXPECT_TRUE(text::is_valid_utf8(one.name) && text::is_valid_utf8(one.type) &&
                  text::is_valid_utf8(one.content_id));
    if (HasFailure()) {
      ADD_FAILURE() << text::escape_for_display(octets);
      return;
    }
  }
}

TEST(DefectNames, AreAllDifferent) {
  Defects all;
  std::set<std::string_view> names;
  for (int i = 0; i < defect_count; ++i) {
    all.add(static_cast<Defect>(i));
    names.insert(to_string(static_cast<Defect>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(defect_count));
  EXPECT_THAT(names, Not(Contains("unknown")));
  EXPECT_EQ(all.list().size(), names.size());
}

}  // namespace
}  // namespace syncline::mime
