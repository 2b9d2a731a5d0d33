// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "routing/pop3/capabilities.hpp"
#include "routing/pop3/listing.hpp"
#include "routing/pop3/multiline.hpp"
#include "routing/pop3/reply_table.hpp"

namespace syncline::pop3 {
namespace {

struct Unstuffed {
  std::string text;
  std::size_t consumed = 0;
  bool complete = false;
};

Unstuffed unstuff(std::string_view first, std::string_view second, bool bare = false) {
  MultilineReader reader(bare);
  Unstuffed result;
  for (std::string_view piece : {first, second}) {
    while (!piece.empty() && !reader.complete()) {
      const auto step = reader.feed(piece);
      result.text += step.text;
      result.consumed += step.consumed;
      piece.remove_prefix(step.consumed);
    }
  }
  result.complete = reader.complete();
  return result;
}

TEST(Pop3Multiline, ReadsTheSameWhereverItIsCut) {
  struct Case {
    std::string_view wire;
    std::string_view text;
  };
  constexpr Case cases[] = {
      {".\r\n", ""},
      {"a\r\n.\r\n", "a\r\n"},
      {"..\r\n.\r\n", ".\r\n"},
      {"..\r\n...x\r\n\r\n.\r\n", ".\r\n..x\r\n\r\n"},
      {"a\n.\n.\r\nb\r\n.\r\n", "a\n.\n.\r\nb\r\n"},  // lone LFs are text, and no line begins after them
      {"a\r.\r\n.\r\n", "a\r.\r\n"},
      {".x\r\n.\r\n", "x\r\n"},  // of a server that does not stuff
      {".\rx\r\n.\r\n", "\rx\r\n"},
      {".\r.\r\n.\r\n", "\r.\r\n"},
      {"\r\n\r\n.\r\n", "\r\n\r\n"},
      {"Subject: x\r\n\r\nbody without an end of its own\r\n.\r\n",
       "Subject: x\r\n\r\nbody without an end of its own\r\n"},
  };
  for (const Case& one : cases) {
    const std::string wire = std::string(one.wire) + "+OK next\r\n";
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
      const Unstuffed got =
          unstuff(std::string_view(wire).substr(0, cut), std::string_view(wire).substr(cut));
      EXPECT_EQ(got.text, one.text) << cut << " in " << one.wire;
      EXPECT_TRUE(got.complete);
      EXPECT_EQ(got.consumed, one.wire.size()) << "what follows is the next answer's";
    }
    const Unstuffed unfinished = unstuff(one.wire.substr(0, one.wire.size() - 1), "");
    EXPECT_FALSE(unfinished.complete) << one.wire;
  }
}

TEST(Pop3Multiline, ReadsOctetByOctet) {
  const std::string wire = "From: x\r\n\r\n..dot\r\nno\n.dot\r\n....\r\n.\r\n";
  MultilineReader reader;
  std::string text;
  for (const char octet : wire) {
    std::string_view one(&octet, 1);
    while (!one.empty()) {
      const auto step = reader.feed(one);
      text += step.text;
      one.remove_prefix(step.consumed);
      ASSERT_FALSE(reader.complete() && !one.empty());
    }
  }
  EXPECT_TRUE(reader.complete());
  EXPECT_EQ(text, "From: x\r\n\r\n.dot\r\nno\n.dot\r\n...\r\n");
}

TEST(Pop3Multiline, AServerThatSendsLfAloneEndsItsTextTheSameWay) {
  const std::string_view wire = "a\n..b\n.\n";
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    const Unstuffed got = unstuff(wire.substr(0, cut), wire.substr(cut), true);
    EXPECT_EQ(got.text, "a\n.b\n") << cut;
    EXPECT_TRUE(got.complete) << cut;
  }
}

TEST(Pop3Status, IsReadWithItsCode) {
  EXPECT_TRUE(parse_status("+OK")->ok());
  EXPECT_EQ(parse_status("+OK 2 messages")->text, "2 messages");
  const auto in_use = parse_status("-ERR [IN-USE] Mailbox is locked");
  ASSERT_TRUE(in_use);
  EXPECT_EQ(in_use->kind, Status::Kind::error);
  EXPECT_EQ(in_use->code, "IN-USE");
  EXPECT_EQ(in_use->text, "Mailbox is locked");
  EXPECT_EQ(parse_status("-err [sys/temp]x")->code, "SYS/TEMP");
  EXPECT_EQ(parse_status("-ERR [no end")->code, "");
  EXPECT_EQ(parse_status("+ PDEyMw==")->kind, Status::Kind::challenge);
  EXPECT_EQ(parse_status("+")->text, "");
  for (const char* bad : {"", "+OKAY", "-ERROR x", "* OK", "220 hello", "OK", "++ x"}) {
    const auto none = parse_status(bad);
    ASSERT_FALSE(none) << bad;
    EXPECT_EQ(none.error().code, "bad-reply");
  }
}

TEST(Pop3Status, ATimestampIsOneOnlyIfItLooksLikeOne) {
  EXPECT_EQ(apop_timestamp("POP3 ready <1896.697170952@dbc.mtview.ca.us>"),
            "<1896.697170952@dbc.mtview.ca.us>");
  EXPECT_EQ(apop_timestamp("ready"), "");
  EXPECT_EQ(apop_timestamp("Welcome to <our server>"), "");
  EXPECT_EQ(apop_timestamp("<nothing>"), "");
  EXPECT_EQ(apop_timestamp("x <a@b"), "");
}

TEST(Pop3Listing, LinesAreReadAndNothingElseIs) {
  EXPECT_EQ(parse_list_line("1 120")->octets, 120u);
  EXPECT_EQ(parse_list_line("12 34 more words")->number, 12u);
  EXPECT_EQ(parse_uidl_line("2 QhdPYR:00WBw1Ph7x7")->uid, "QhdPYR:00WBw1Ph7x7");
  for (const char* bad : {"", "1", "x 1", "-1 5", "0 5", "1 -5", "1 x", "99999999999 1", "1  ", " 1 2",
                          "1 99999999999999999999"})
    EXPECT_FALSE(parse_list_line(bad)) << bad;
  EXPECT_FALSE(parse_uidl_line("1 a\tb"));
  EXPECT_FALSE(parse_uidl_line("1 " + std::string(501, 'u')));
}

TEST(Pop3Capabilities, AreReadLineByLine) {
  Capabilities offered;
  for (const char* line : {"TOP", "uidl", "PIPELINING", "SASL PLAIN  LOGIN plain", "STLS", "USER",
                           "RESP-CODES", "AUTH-RESP-CODE", "LOGIN-DELAY 900 USER", "IMPLEMENTATION Dovecot",
                           "EXPIRE NEVER", "", "LOGIN-DELAY x"})
    read_capability(offered, line);
  EXPECT_TRUE(offered.top && offered.uidl && offered.pipelining && offered.stls && offered.user);
  EXPECT_TRUE(offered.response_codes && offered.authentication_response_code);
  EXPECT_EQ(offered.mechanisms, (std::vector<std::string>{"PLAIN", "LOGIN"}));
  EXPECT_EQ(offered.login_delay, std::chrono::seconds(900));
  EXPECT_EQ(offered.implementation, "Dovecot");
}

TEST(Pop3ReplyTable, HasAnAnswerToEveryRefusal) {
  for (const Stage stage : {Stage::greeting, Stage::capabilities, Stage::start_tls, Stage::sign_in,
                            Stage::listing, Stage::message, Stage::removal, Stage::farewell})
    for (const char* code :
         {"", "IN-USE", "LOGIN-DELAY", "SYS/TEMP", "SYS/TEMP/X", "SYS/PERM", "AUTH", "EXPIRED"})
      for (const char* text : {"", "no", "mailbox locked", "try again later", "no such message"}) {
        const Error error = refusal({.kind = Status::Kind::error, .code = code, .text = text}, stage);
        EXPECT_FALSE(error.code.empty());
        EXPECT_FALSE(error.message.empty());
      }
}

TEST(Pop3ReplyTable, ALockedMailboxIsNoWrongPassword) {
  const auto at_sign_in = [](const char* code, const char* text) {
    return refusal({.kind = Status::Kind::error, .code = code, .text = text}, Stage::sign_in);
  };
  EXPECT_EQ(at_sign_in("IN-USE", "").code, "mailbox-in-use");
  EXPECT_EQ(at_sign_in("", "maildrop already locked").retry, RetryClass::after);
  EXPECT_EQ(at_sign_in("LOGIN-DELAY", "").code, "login-delay");
  EXPECT_EQ(at_sign_in("SYS/TEMP", "").retry, RetryClass::after);
  EXPECT_EQ(at_sign_in("AUTH", "Authentication failed.").retry, RetryClass::reauthenticate);
  EXPECT_EQ(at_sign_in("", "Invalid login").code, "credentials-refused");
  EXPECT_EQ(at_sign_in("SYS/PERM", "").retry, RetryClass::never);
  EXPECT_EQ(at_sign_in("", "POP access is disabled for your domain").code, "not-authorised");
}

TEST(Pop3ReplyTable, OneBadMessageIsPutAsideAlone) {
  const auto of_message = [](const char* text) {
    return refusal({.kind = Status::Kind::error, .text = text}, Stage::message);
  };
  EXPECT_EQ(of_message("no such message, only 3 messages in maildrop").code, "gone");
  EXPECT_EQ(of_message("message is corrupted").retry, RetryClass::quarantine);
}

}  // namespace
}  // namespace syncline::pop3
