// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "routing/smtp/reply_table.hpp"

namespace syncline::smtp {
namespace {

constexpr Stage stages[] = {Stage::greeting,  Stage::hello, Stage::start_tls, Stage::sign_in, Stage::sender,
                            Stage::recipient, Stage::data,  Stage::content,   Stage::other};

TEST(SmtpReplyTable, HasAnAnswerToEveryReplyAtEveryStage) {
  for (const Stage stage : stages) {
    EXPECT_FALSE(to_string(stage).empty());
    for (int code = 200; code <= 599; ++code)
      for (int subject = -1; subject <= 9; ++subject)
        for (const int detail : {0, 1, 2, 3, 4, 5, 8, 10, 60, 252, 999}) {
          Reply reply{.code = code, .lines = {"text"}};
          if (subject >= 0) reply.lines = {to_string(EnhancedCode{code / 100, subject, detail}) + " text"};
          const Error error = refusal(reply, stage);
          ASSERT_FALSE(error.code.empty()) << code << " " << reply.lines.front();
          ASSERT_NE(error.message.find(std::to_string(code)), std::string::npos);
          if (code / 100 == 4) {
            ASSERT_TRUE(error.retry == RetryClass::after || error.retry == RetryClass::reauthenticate)
                << code << " " << reply.lines.front() << " " << error.code;
          }
          if (code / 100 == 5 && error.retry == RetryClass::after) {
            ASSERT_EQ(error.code, "sending-quota") << code << " " << reply.lines.front();
          }
        }
  }
}

struct Case {
  int code;
  const char* text;
  Stage stage;
  const char* expected;
  RetryClass retry;
};

TEST(SmtpReplyTable, TellsQuotaSizeAndThrottleApart) {
  const Case cases[] = {
      {452, "4.2.2 The recipient's inbox is out of storage space", Stage::recipient, "mailbox-full",
       RetryClass::after},
      {552, "5.2.2 over quota", Stage::recipient, "mailbox-full", RetryClass::never},
      {552, "", Stage::recipient, "mailbox-full", RetryClass::never},
      {552, "", Stage::content, "message-too-large", RetryClass::never},
      {552, "5.3.4 Message size exceeds fixed limit", Stage::sender, "message-too-large", RetryClass::never},
      {552, "5.2.3 Your message exceeded Google's message size limits", Stage::content, "message-too-large",
       RetryClass::never},
      {554, "5.2.3 too big for this recipient", Stage::content, "message-too-large", RetryClass::never},
      {550, "5.4.5 Daily user sending limit exceeded", Stage::content, "sending-quota", RetryClass::after},
      {454, "4.7.0 Too many login attempts, please try again later", Stage::sign_in, "temporary",
       RetryClass::after},
      {421, "4.7.0 Temporary System Problem", Stage::sender, "throttled", RetryClass::after},
      {421, "4.4.2 timeout", Stage::other, "service-closing", RetryClass::after},
      {432, "4.3.2 Concurrent connections limit exceeded", Stage::sender, "throttled", RetryClass::after},
      {450, "4.2.1 The user is receiving mail at a rate limit", Stage::recipient, "throttled",
       RetryClass::after},
      {451, "4.3.0 try later", Stage::content, "busy", RetryClass::after},
      {452, "4.5.3 Too many recipients", Stage::recipient, "too-many-recipients", RetryClass::after},
      {452, "4.3.1 Insufficient system storage", Stage::content, "system-full", RetryClass::after},
      {550, "5.1.1 no such user", Stage::recipient, "no-such-mailbox", RetryClass::never},
      {550, "5.7.1 relaying denied", Stage::recipient, "refused", RetryClass::never},
      {550, "5.7.60 SMTP; Client does not have permissions to send as this sender", Stage::content,
       "not-allowed-as-sender", RetryClass::never},
      {554, "5.2.252 SendAsDenied", Stage::content, "not-allowed-as-sender", RetryClass::never},
      {530, "5.7.57 Client not authenticated", Stage::sender, "sign-in-required", RetryClass::reauthenticate},
      {535, "5.7.8 Username and Password not accepted", Stage::sign_in, "credentials-refused",
       RetryClass::reauthenticate},
      {535, "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled", Stage::sign_in,
       "not-authorised", RetryClass::reauthenticate},
      {538, "", Stage::sign_in, "encryption-required", RetryClass::never},
      {354, "go ahead", Stage::sender, "unexpected-reply", RetryClass::after},
  };
  for (const Case& one : cases) {
    const Error error = refusal({.code = one.code, .lines = {one.text}}, one.stage);
    EXPECT_EQ(error.code, one.expected) << one.code << " " << one.text;
    EXPECT_EQ(error.retry, one.retry) << one.code << " " << one.text;
  }
}

TEST(SmtpReplyTable, LimitsByTheDayAreNotTriedAgainAtOnce) {
  const Error quota = refusal({.code = 550, .lines = {"5.4.5 Daily sending quota exceeded"}}, Stage::content);
  ASSERT_TRUE(quota.retry_after);
  EXPECT_GE(*quota.retry_after, std::chrono::minutes(30));
}

}  // namespace
}  // namespace syncline::smtp
