// SPDX-License-Identifier: GPL-3.0-or-later
// Well-formed messages: what is read from them, and how much memory that takes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "base/base64.hpp"
#include "mime/digest.hpp"
#include "mime/reader.hpp"

namespace syncline::mime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

Message read(std::string_view octets, ReadOptions options = {}) {
  auto message = read_message(octets, std::move(options));
  EXPECT_TRUE(message) << message.error().describe();
  return message ? *std::move(message) : Message();
}

std::string hash(std::string_view octets) {
  Sha256 digest;
  digest.update(octets);
  return digest.finish();
}

constexpr std::string_view usual = R"(Return-Path: <ann@example.com>
Received: from a.example.com by b.example.com with ESMTP id 1;
 Sun, 22 Nov 2026 09:30:20 +0000
From: Ann <ann@example.com>
To: Bob <bob@example.net>, carol@example.net
Cc: =?utf-8?Q?D=C3=B6rte?= <d@example.net>
Reply-To: answers@example.com
Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=
Date: Sun, 22 Nov 2026 10:30:15 +0100
Message-ID: <1@example.com>
In-Reply-To: <0@example.net>
References: <first@example.net>
 <0@example.net>
Importance: high
Sensitivity: Company-Confidential
Keywords: red, =?utf-8?Q?bl=C3=A4u?=
Thread-Topic: Topic
Thread-Index: AdABCDEF
X-Own: 17
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

preamble
--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Sch=F6n
--inner
Content-Type: multipart/related; boundary="rel"

--rel
Content-Type: text/html; charset=utf-8

<p>Schön <img src="cid:pic@x"></p>
--rel
Content-Type: image/png
Content-ID: <pic@x>
Content-Transfer-Encoding: base64

AAEC
--rel--
--inner--
--outer
Content-Type: application/pdf; name="old.pdf"
Content-Disposition: attachment; filename*=utf-8''K%C3%B6rper.pdf
Content-Transfer-Encoding: base64

SGVsbG8=
--outer
Content-Type: text/plain
Content-Disposition: attachment; filename="../../notes.txt"

a note
--outer--
epilogue
)";

void expect_usual(const Message& message, std::string_view line_end) {
  EXPECT_EQ(message.subject, "Gr\u00FC\u00DFe");
  EXPECT_THAT(*message.from, ElementsAre(Mailbox{"Ann", "ann@example.com"}));
  EXPECT_THAT(*message.to, ElementsAre(Mailbox{"Bob", "bob@example.net"}, Mailbox{"", "carol@example.net"}));
  EXPECT_THAT(*message.cc, ElementsAre(Mailbox{"D\u00F6rte", "d@example.net"}));
  EXPECT_THAT(*message.reply_to, ElementsAre(Mailbox{"", "answers@example.com"}));
  EXPECT_EQ(message.bcc, std::nullopt);
  EXPECT_EQ(to_rfc3339(*message.date), "2026-11-22T10:30:15+01:00");
  EXPECT_EQ(to_rfc3339(*message.received), "2026-11-22T09:30:20+00:00");
  EXPECT_EQ(message.message_id, "<1@example.com>");
  EXPECT_EQ(message.key(), "<1@example.com>");
  EXPECT_EQ(message.in_reply_to, "<0@example.net>");
  EXPECT_EQ(message.references, "<first@example.net> <0@example.net>");
  EXPECT_EQ(message.importance, Importance::high);
  EXPECT_EQ(message.sensitivity, Sensitivity::confidential);
  EXPECT_THAT(message.keywords, ElementsAre("red", "bl\u00E4u"));
  EXPECT_EQ(message.conversation_topic, "Topic");
  EXPECT_EQ(message.conversation_index, "AdABCDEF");
  EXPECT_EQ(message.header("x-own"), "17");
  EXPECT_EQ(message.header("X-Other"), std::nullopt);
  EXPECT_EQ(message.text->value, "Sch\u00F6n");
  EXPECT_EQ(message.text->charset, "iso-8859-1");
  EXPECT_EQ(message.html->value, "<p>Sch\u00F6n <img src=\"cid:pic@x\"></p>");
  ASSERT_EQ(message.attachments.size(), 3U);
  EXPECT_EQ(message.attachments[0].content_id, "pic@x");
  EXPECT_TRUE(message.attachments[0].is_inline);
  EXPECT_EQ(message.attachments[0].size, 3U);
  EXPECT_EQ(message.attachments[0].sha256, hash(std::string_view("\0\1\2", 3)));
  EXPECT_EQ(message.attachments[1].name, "K\u00F6rper.pdf");
  EXPECT_EQ(message.attachments[1].type, "application/pdf");
  EXPECT_EQ(message.attachments[1].sha256, hash("Hello"));
  EXPECT_FALSE(message.attachments[1].is_inline);
  EXPECT_EQ(message.attachments[2].name, "../../notes.txt");
  EXPECT_EQ(message.attachments[2].sha256, hash("a note"));
  EXPECT_FALSE(message.is_automatic);
  EXPECT_EQ(message.protection, Protection::none);
  EXPECT_THAT(message.defects.list(), IsEmpty()) << line_end;
}

TEST(Reading, GivesAllThatAMessageSays) {
  expect_usual(read(usual), "LF");
  expect_usual(read(crlf(usual)), "CRLF");
  EXPECT_EQ(read(usual).sha256, hash(usual));
}

TEST(Reading, GivesTheSameWhereverTheOctetsAreCut) {
  const std::string octets = crlf(usual);
  for (std::size_t cut = 0; cut <= octets.size(); ++cut) {
    MessageReader reader;
    ASSERT_TRUE(reader.feed(std::string_view(octets).substr(0, cut)));
    ASSERT_TRUE(reader.feed(std::string_view(octets).substr(cut)));
    const auto message = reader.finish();
    ASSERT_TRUE(message);
    expect_usual(*message, "cut at " + std::to_string(cut));
    if (HasFailure()) return;
  }
  MessageReader reader;
  for (const char c : octets) ASSERT_TRUE(reader.feed(std::string_view(&c, 1)));
  expect_usual(*reader.finish(), "octet by octet");
}

TEST(Reading, TakesASingleTextForTheBodyWhateverItIsCalled) {
  const Message text =
      read("From: a@b.test\nContent-Type: text/html; name=mail.html; charset=utf-8\n\n<p>\n");
  EXPECT_EQ(text.html->value, "<p>\n");
  EXPECT_EQ(text.text, std::nullopt);
  EXPECT_THAT(text.attachments, IsEmpty());
}

TEST(Reading, TakesTextsWithFilesNamesForAttachments) {
  const Message message = read(
      "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nbody\n--b\nContent-Type: "
      "text/plain\nContent-Disposition: inline; "
      "filename=log.txt\n\nlog\n--b\nContent-Type: text/plain\n\nfooter\n--b--\n");
  EXPECT_EQ(message.text->value, "body");
  ASSERT_EQ(message.attachments.size(), 2U);
  EXPECT_EQ(message.attachments[0].name, "log.txt");
  EXPECT_TRUE(message.attachments[0].is_inline);
  // The second text is lost to nobody.
  EXPECT_EQ(message.attachments[1].sha256, hash("footer"));
}

TEST(Reading, TakesAnAttachedMessageForOneAttachmentOfItsOwnOctets) {
  const std::string inner =
      "From: x@y.test\r\nSubject: =?utf-8?Q?in=C3=B6?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
      "--q\r\n\r\nnot a part\r\n";
  const Message plain =
      read("Content-Type: multipart/mixed; boundary=b2\r\n\r\n--b2\r\nContent-Type: message/rfc822\r\n\r\n" +
           inner + "\r\n--b2--\r\n");
  ASSERT_EQ(plain.attachments.size(), 1U);
  EXPECT_EQ(plain.attachments[0].kind, AttachmentKind::message);
  EXPECT_EQ(plain.attachments[0].type, "message/rfc822");
  EXPECT_EQ(plain.attachments[0].name, "in\u00F6");
  EXPECT_EQ(plain.attachments[0].sha256, hash(inner));
  EXPECT_EQ(plain.text, std::nullopt);
  // Against RFC 2046, but seen: GMime does not open it.
  const Message encoded = read("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                               base64_encode(inner));
  ASSERT_EQ(encoded.attachments.size(), 1U);
  EXPECT_EQ(encoded.attachments[0].sha256, hash(inner));
  EXPECT_EQ(encoded.attachments[0].name, "in\u00F6");
}

TEST(Reading, TakesPartsOfADigestForMessages) {
  const Message message = read(
      "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n\nx\n--b\n\nSubject: "
      "two\n\ny\n--b--\n");
  ASSERT_EQ(message.attachments.size(), 2U);
  EXPECT_EQ(message.attachments[0].name, "one");
  EXPECT_EQ(message.attachments[1].name, "two");
}

TEST(Reading, KnowsCalendarsAndTnef) {
  const Message invitation = read(
      "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: "
      "text/plain\n\nCome\n--b\nContent-Type: "
      "text/calendar; method=request; charset=utf-8\n\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n--b--\n");
  ASSERT_TRUE(invitation.calendar);
  EXPECT_EQ(invitation.calendar->method, "REQUEST");
  EXPECT_EQ(invitation.calendar->text, "BEGIN:VCALENDAR\nMETHOD:REQUEST");
  ASSERT_EQ(invitation.attachments.size(), 1U);
  EXPECT_EQ(invitation.attachments[0].kind, AttachmentKind::calendar);
  EXPECT_EQ(read("Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nMETHOD:CANCEL\n").calendar->method,
            "CANCEL");

  const Message tnef = read(
      "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\nContent-Type: application/ms-tnef; "
      "name=winmail.dat\n\n\n--b--\n");
  ASSERT_EQ(tnef.attachments.size(), 1U);
  EXPECT_EQ(tnef.attachments[0].kind, AttachmentKind::tnef);
}

TEST(Reading, KnowsWhatIsSignedAndWhatIsEncrypted) {
  const auto protection = [](std::string_view header, std::string_view body = "x") {
    return read("Content-Type: " + std::string(header) + "\n\n" + std::string(body)).protection;
  };
  EXPECT_EQ(protection("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"),
            Protection::encrypted);
  EXPECT_EQ(protection("application/x-pkcs7-mime; smime-type=signed-data"), Protection::signed_opaque);
  EXPECT_EQ(protection("application/pkcs7-mime"), Protection::encrypted);
  EXPECT_EQ(protection("text/plain"), Protection::none);
  EXPECT_EQ(protection("multipart/encrypted; boundary=b",
                       "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b--\n"),
            Protection::encrypted);
  EXPECT_EQ(
      protection(
          "multipart/mixed; boundary=b",
          "--b\n\nRead with care\n--b\nContent-Type: application/x-microsoft-rpmsg-message\n\nx\n--b--\n"),
      Protection::rights_managed);
  // A protected message that somebody attached to a readable one.
  EXPECT_EQ(protection("multipart/mixed; boundary=b",
                       "--b\n\nsee there\n--b\nContent-Type: application/pkcs7-mime\n\nx\n--b--\n"),
            Protection::none);
  const Message signed_message = read(
      "Content-Type: multipart/signed; boundary=b\n\n--b\n\nbody\n--b\nContent-Type: "
      "application/pkcs7-signature; "
      "name=smime.p7s\n\nx\n--b--\n");
  EXPECT_EQ(signed_message.protection, Protection::signed_clear);
  EXPECT_FALSE(signed_message.is_opaque());
  EXPECT_EQ(signed_message.text->value, "body");
  EXPECT_EQ(signed_message.attachments.at(0).kind, AttachmentKind::signature);
}

TEST(Reading, GivesDeliveryReports) {
  const Message bounce = read(R"(From: MAILER-DAEMON@example.com
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

It did not arrive.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com

Original-Recipient: rfc822;bob@example.net
Final-Recipient: rfc822; <bob@mail.example.net>
Action: Failed
Status: 5.1.1 (no such mailbox)
Diagnostic-Code: smtp; 550 5.1.1
  unknown
Remote-MTA: dns; mx.example.net

Final-Recipient: rfc822; eve@example.net
Action: delayed
Status: 4.4.7
--b
Content-Type: text/rfc822-headers

Message-ID: <sent@example.com>
Subject: lost
--b--
)");
  ASSERT_TRUE(bounce.report);
  EXPECT_EQ(bounce.report->type, "delivery-status");
  EXPECT_EQ(bounce.report->reporting_mta, "mail.example.com");
  EXPECT_EQ(bounce.report->original_message_id, "<sent@example.com>");
  ASSERT_EQ(bounce.report->recipients.size(), 2U);
  EXPECT_EQ(bounce.report->recipients[0].original_recipient, "bob@example.net");
  EXPECT_EQ(bounce.report->recipients[0].final_recipient, "bob@mail.example.net");
  EXPECT_EQ(bounce.report->recipients[0].action, "failed");
  EXPECT_EQ(bounce.report->recipients[0].status, "5.1.1");
  EXPECT_EQ(bounce.report->recipients[0].diagnostic_code, "smtp; 550 5.1.1  unknown");
  EXPECT_EQ(bounce.report->recipients[0].remote_mta, "mx.example.net");
  EXPECT_EQ(bounce.report->recipients[1].action, "delayed");
  EXPECT_TRUE(bounce.is_automatic);

  const Message receipt = read(
      "Content-Type: multipart/report; report-type=disposition-notification; "
      "boundary=b\n\n--b\n\nread\n--b\nContent-Type: "
      "message/disposition-notification\n\nFinal-Recipient: rfc822;b@c.test\nOriginal-Message-ID: "
      "<sent@x>\nDisposition: "
      "manual-action/MDN-sent-manually; displayed\n--b--\n");
  EXPECT_EQ(receipt.report->original_message_id, "<sent@x>");
  EXPECT_EQ(receipt.report->disposition, "manual-action/MDN-sent-manually; displayed");
}

TEST(Reading, KnowsMailOfPrograms) {
  for (const char* field :
       {"Auto-Submitted: auto-replied", "Precedence: bulk", "List-Id: <l.example.com>", "Return-Path: <>"})
    EXPECT_TRUE(read(std::string(field) + "\n\n").is_automatic) << field;
  EXPECT_FALSE(read("Auto-Submitted: no\n\n").is_automatic);
  EXPECT_FALSE(read("Return-Path: <a@b.test>\n\n").is_automatic);
}

TEST(Reading, TakesTheCharsetThatHtmlNamesItself) {
  EXPECT_EQ(read("Content-Type: text/html\n\n<meta charset=koi8-r>\xF0\xD2\xC9").html->value,
            "<meta charset=koi8-r>\u041F\u0440\u0438");
}

TEST(Reading, TakesRawHeaderOctetsForTheBodysCharset) {
  EXPECT_EQ(read("Subject: \xF0\xD2\xC9\nContent-Type: text/plain; charset=koi8-r\n\n\xF0").subject,
            "\u041F\u0440\u0438");
}

class Collect final : public AttachmentSink {
 public:
  Collect(std::vector<std::string>& out, int fail_at) : out_(out), fail_at_(fail_at) {}
  Result<void> write(std::string_view octets) override {
    if (fail_at_-- == 0) return fail(ErrorDomain::local, "disk-full", "no room");
    octets_ += octets;
    return {};
  }
  Result<void> close(const Attachment& attachment) override {
    EXPECT_EQ(attachment.size, octets_.size());
    out_.push_back(attachment.name + "=" + octets_);
    return {};
  }

 private:
  std::vector<std::string>& out_;
  int fail_at_;
  std::string octets_ = {};
};

TEST(Reading, StreamsAttachmentsToTheirSinks) {
  std::vector<std::string> taken;
  ReadOptions options;
  options.open_sink = [&](const Attachment& attachment) -> Result<std::unique_ptr<AttachmentSink>> {
    if (attachment.is_inline) return nullptr;
    return std::make_unique<Collect>(taken, -1);
  };
  read(usual, options);
  EXPECT_THAT(taken, ElementsAre("K\u00F6rper.pdf=Hello", "../../notes.txt=a note"));
}

TEST(Reading, EndsWithTheErrorOfASink) {
  std::vector<std::string> taken;
  ReadOptions options;
  options.open_sink = [&](const Attachment&) {
    return Result<std::unique_ptr<AttachmentSink>>(std::make_unique<Collect>(taken, 0));
  };
  const auto message = read_message(usual, options);
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().code, "disk-full");
  EXPECT_THAT(taken, IsEmpty());
}

TEST(Reading, CanLeaveAttachmentsUndecoded) {
  ReadOptions options;
  options.decode_attachments = false;
  options.hash_octets = false;
  const Message message = read(usual, options);
  ASSERT_EQ(message.attachments.size(), 3U);
  EXPECT_EQ(message.attachments[1].name, "K\u00F6rper.pdf");
  EXPECT_EQ(message.attachments[1].sha256, "");
  EXPECT_EQ(message.sha256, "");
  EXPECT_EQ(message.text->value, "Sch\u00F6n");
}

long peak_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(Reading, TakesLittleMemoryForABigAttachmentAndABigBody) {
  MessageReader reader;
  ASSERT_TRUE(reader.feed("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"));
  const long before = peak_kib();
  const std::string line(76, 'A');
  std::string block;
  for (int i = 0; i < 1'000; ++i) block += line + "\r\n";
  for (int i = 0; i < 80; ++i) ASSERT_TRUE(reader.feed(block));
  ASSERT_TRUE(reader.feed("--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"));
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(reader.feed(block));
  ASSERT_TRUE(reader.feed("\r\n--b--\r\n"));
  const auto message = reader.finish();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->attachments.at(0).size, 400U * 1'000 * 57);
  EXPECT_TRUE(message->text->is_cut);
  EXPECT_TRUE(message->defects.has(Defect::body_cut));
  EXPECT_LE(message->text->value.size(), Limits().text_octets);
  EXPECT_GT(message->text->value.size(), Limits().text_octets / 10 * 9);
  // 37 MB went through; what is kept is the body up to its limit.
  EXPECT_LT(peak_kib() - before, 20 * 1024);
}

}  // namespace
}  // namespace syncline::mime
