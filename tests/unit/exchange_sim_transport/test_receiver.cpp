// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "tools/exchange-sim/transport/smtp_receiver.hpp"

namespace exchange_sim {
namespace {

/// anna@ours.test is here, others of that domain are not.
class Taker final : public MailTaker {
 public:
  Recipient recipient(std::string_view address) override {
    asked.emplace_back(address);
    if (address == "anna@ours.test") return Recipient::ours;
    return address.ends_with("@ours.test") ? Recipient::unknown : Recipient::elsewhere;
  }
  bool take(ReceivedMail mail) override {
    if (is_full) return false;
    taken.push_back(std::move(mail));
    return true;
  }
  std::vector<std::string> asked;
  std::vector<ReceivedMail> taken;
  bool is_full = false;
};

ReceiverLimits small_limits() {
  return {
      .line_octets = 100, .endless_line_octets = 1000, .message_octets = 200, .recipients = 3, .errors = 4};
}

struct Session {
  explicit Session(ReceiverLimits limits = {}) : receiver("mx.ours.test", limits, taker) {}
  /// Only the codes: "250 250 354".
  std::string codes(std::string_view octets) {
    std::string out;
    const std::string replies = receiver.feed(octets);
    for (std::size_t at = 0; at < replies.size();) {
      const std::size_t end = replies.find("\r\n", at);
      if (end == std::string::npos) return "a reply without an end: " + replies;
      if (replies[at + 3] == ' ') out += (out.empty() ? "" : " ") + replies.substr(at, 3);
      at = end + 2;
    }
    return out;
  }
  /// Up to the recipient.
  void begin() {
    EXPECT_EQ(codes("EHLO client.test\r\nMAIL FROM:<bo@else.test>\r\nRCPT TO:<anna@ours.test>\r\n"),
              "250 250 250");
  }
  Taker taker;
  SmtpReceiver receiver;
};

TEST(SmtpReceiver, GreetsAndOffersWhatItKeeps) {
  Session session({.message_octets = 1234});
  EXPECT_EQ(session.receiver.greeting(), "220 mx.ours.test ESMTP exchange-sim\r\n");
  EXPECT_EQ(
      session.receiver.feed("ehlo client.test\r\n"),
      "250-mx.ours.test\r\n250-SIZE 1234\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n");
  EXPECT_EQ(session.receiver.feed("HELO client.test\r\n"), "250 mx.ours.test\r\n");
  EXPECT_EQ(session.codes("NOOP\r\nVRFY anna\r\nHELP\r\nRSET\r\nQUIT\r\n"), "250 252 214 250 221");
  EXPECT_TRUE(session.receiver.is_over());
}

TEST(SmtpReceiver, AMessageIsTheSameCutAtEveryOctet) {
  const std::string content =
      "Subject: x\r\n\r\n.one dot\r\n..two\r\n.\rno end\r\n.\nno "
      "end\r\n\r\r\nbare\nlines\rand\r\n\xC3\xA4\r\n";
  const std::string wire =
      "EHLO c\r\nMAIL FROM:<bo@else.test> SIZE=90 BODY=8BITMIME\r\nRCPT TO:<anna@ours.test>\r\nDATA\r\n"
      "Subject: x\r\n\r\n..one dot\r\n...two\r\n..\rno end\r\n..\nno "
      "end\r\n\r\r\nbare\nlines\rand\r\n\xC3\xA4\r\n"
      ".\r\nMAIL FROM:<>\r\nQUIT\r\n";
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    Session session;
    std::string codes = session.codes(std::string_view(wire).substr(0, cut));
    const std::string rest = session.codes(std::string_view(wire).substr(cut));
    if (!codes.empty() && !rest.empty()) codes += ' ';
    ASSERT_EQ(codes + rest, "250 250 250 354 250 250 221") << "cut at " << cut;
    ASSERT_EQ(session.taker.taken.size(), 1U) << "cut at " << cut;
    ASSERT_EQ(session.taker.taken[0].content, content) << "cut at " << cut;
    ASSERT_EQ(session.taker.taken[0].from, "bo@else.test");
  }
  Session octet_for_octet;
  std::string codes;
  for (const char& c : wire) codes += octet_for_octet.codes(std::string_view(&c, 1));
  EXPECT_EQ(codes, "250250250354250250221");
  EXPECT_EQ(octet_for_octet.taker.taken.at(0).content, content);
}

TEST(SmtpReceiver, OnlyCrLfDotCrLfEndsAMessage) {
  // What another server takes for the end would be a second message that nobody checked (smuggling).
  for (const std::string_view end : {"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r\n..\r\n"}) {
    Session session;
    session.begin();
    EXPECT_EQ(session.codes("DATA\r\n"), "354");
    EXPECT_EQ(session.codes("text" + std::string(end) + "MAIL FROM:<evil@else.test>\r\n"), "");
    EXPECT_EQ(session.codes("\r\n.\r\n"), "250");
    ASSERT_EQ(session.taker.taken.size(), 1U);
    EXPECT_NE(session.taker.taken[0].content.find("evil"), std::string::npos);
  }
  Session empty;
  empty.begin();
  EXPECT_EQ(empty.codes("DATA\r\n.\r\n"), "354 250");
  EXPECT_EQ(empty.taker.taken.at(0).content, "");
}

TEST(SmtpReceiver, RecipientsAreJudgedOneByOne) {
  Session session;
  EXPECT_EQ(session.codes("EHLO c\r\nMAIL FROM:<>\r\n"), "250 250");
  EXPECT_EQ(session.codes("RCPT TO:<nobody@ours.test>\r\n"), "550");
  EXPECT_EQ(session.codes("RCPT TO:<bo@else.test>\r\n"), "550") << "no open relay";
  EXPECT_EQ(session.codes("DATA\r\n"), "554") << "nobody is left";
  EXPECT_EQ(session.codes("RCPT TO: <anna@OURS.test>\r\n"), "250");
  EXPECT_EQ(session.codes("RCPT TO:<@relay.test,@other.test:anna@ours.test>\r\n"), "250") << "a source route";
  EXPECT_EQ(session.codes("RCPT TO:<\"anna\"@ours.test>\r\n"), "250") << "quotes that are not needed";
  EXPECT_EQ(session.codes("RCPT TO:<\"a\\\"> b@x\"@ours.test>\r\n"), "550");
  EXPECT_EQ(session.taker.asked.back(), "\"a\\\"> b@x\"@ours.test");
  EXPECT_EQ(session.codes("DATA\r\nhello\r\n.\r\n"), "354 250");
  EXPECT_EQ(session.taker.taken.at(0).to,
            (std::vector<std::string>{"anna@ours.test", "anna@ours.test", "anna@ours.test"}));
}

TEST(SmtpReceiver, OrderMatters) {
  Session session({.errors = 100});
  EXPECT_EQ(session.codes("MAIL FROM:<bo@else.test>\r\n"), "503") << "before EHLO";
  EXPECT_EQ(session.codes("EHLO\r\n"), "501");
  EXPECT_EQ(session.codes("EHLO c\r\nRCPT TO:<anna@ours.test>\r\nDATA\r\n"), "250 503 503");
  session.begin();
  EXPECT_EQ(session.codes("MAIL FROM:<bo@else.test>\r\n"), "503") << "one is open";
  EXPECT_EQ(session.codes("RSET\r\nDATA\r\n"), "250 503");
  session.begin();
  EXPECT_EQ(session.codes("EHLO again\r\nRCPT TO:<anna@ours.test>\r\n"), "250 503") << "EHLO is a RSET too";
  session.begin();
  EXPECT_EQ(session.codes("DATA now\r\n"), "501");
  EXPECT_EQ(session.codes("STARTTLS\r\nAUTH PLAIN\r\nBDAT 3 LAST\r\nEXPN x\r\n"), "500 500 500 500");
  EXPECT_TRUE(session.taker.taken.empty());
}

TEST(SmtpReceiver, WhatIsNoAddressIsRefused) {
  for (const std::string_view bad :
       {"anna@ours.test", "<anna@ours.test", "<anna>", "<@ours.test>", "<anna@>", "<an na@ours.test>", "<>",
        "<anna@ours.test>x", "<anna@ours.test> NOTIFY=NEVER", "<\"anna@ours.test>", "<anna@ours.test\\>",
        "<@route>", "<anna@ours.test@>", ""}) {
    Session session;
    EXPECT_EQ(session.codes("EHLO c\r\nMAIL FROM:<>\r\n"), "250 250");
    EXPECT_TRUE(session.codes("RCPT TO:" + std::string(bad) + "\r\n").starts_with("5")) << bad;
  }
  for (const std::string_view bad :
       {"FROM:bo", "TO:<bo@else.test>", "FROM:<bo@else.test> RET=FULL", "FROM:<bo@else.test> SIZE=x",
        "FROM:<bo@else.test> SIZE=-1", "FROM:<bo@else.test> SIZE=99999999999999999999999", "",
        "FROM:<b\xC3\xB6@else.test>"}) {
    Session session;
    EXPECT_TRUE(session.codes("EHLO c\r\nMAIL " + std::string(bad) + "\r\n").starts_with("250 5")) << bad;
  }
  Session session;
  session.begin();
  EXPECT_EQ(session.codes("RCPT TO:<" + std::string(65, 'a') + "@ours.test>\r\n"), "501");
  EXPECT_EQ(session.codes("RCPT TO:<a@" + std::string(256, 'a') + ">\r\n"), "501");
}

TEST(SmtpReceiver, SizesAndNumbersHaveLimits) {
  Session session(small_limits());
  EXPECT_EQ(session.codes("EHLO c\r\nMAIL FROM:<> SIZE=201\r\n"), "250 552");
  EXPECT_EQ(session.codes("RCPT TO:<anna@ours.test>\r\n"), "503");
  session.begin();
  EXPECT_EQ(
      session.codes("RCPT TO:<anna@ours.test>\r\nRCPT TO:<anna@ours.test>\r\nRCPT TO:<anna@ours.test>\r\n"),
      "250 250 452");
  EXPECT_EQ(session.codes("DATA\r\n" + std::string(201, 'x') + "\r\n.\r\n"), "354 552");
  EXPECT_TRUE(session.taker.taken.empty());
  session.begin();
  EXPECT_EQ(session.codes("DATA\r\n" + std::string(198, 'x') + "\r\n.\r\n"), "354 250") << "just fits";
  EXPECT_EQ(session.taker.taken.at(0).content.size(), 200U);
  session.taker.is_full = true;
  session.begin();
  EXPECT_EQ(session.codes("DATA\r\nx\r\n.\r\n"), "354 451");
  session.begin();
  EXPECT_EQ(session.codes("DATA\r\n"), "354");
  std::string codes;
  for (int i = 0; i < 100 && !session.receiver.is_over(); ++i) codes += session.codes(std::string(100, 'x'));
  EXPECT_EQ(codes, "421") << "a message without an end";
}

TEST(SmtpReceiver, HostileLinesEndTheSession) {
  Session endless(small_limits());
  std::string codes;
  for (int i = 0; i < 100 && !endless.receiver.is_over(); ++i) codes += endless.codes(std::string(50, 'x'));
  EXPECT_EQ(codes, "421");

  Session wrong(small_limits());
  EXPECT_EQ(wrong.codes("EHLO c\n"), "500") << "a bare LF";
  EXPECT_EQ(wrong.codes("EHLO " + std::string(100, 'c') + "\r\n"), "500") << "too long";
  EXPECT_EQ(wrong.codes("EHLO a\x1B[2J\r\n"), "500") << "a control character";
  EXPECT_EQ(wrong.codes("\r\nNOOP\r\n"), "500 421") << "and too many of them";
  EXPECT_TRUE(wrong.receiver.is_over());
  EXPECT_EQ(wrong.codes("NOOP\r\n"), "") << "nothing is said after the end";

  Session browser;
  EXPECT_EQ(browser.codes("POST / HTTP/1.1\r\nHost: localhost\r\n\r\nEHLO c\r\n"), "421");
}

}  // namespace
}  // namespace exchange_sim
