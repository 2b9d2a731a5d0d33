// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <set>

#include "routing/imap/reply_error.hpp"

namespace syncline::imap {
namespace {

Error error_of(Condition condition, std::string code, std::string text, Asked asked = Asked::other) {
  StatusReply reply;
  reply.condition = condition;
  reply.code.name = std::move(code);
  reply.text = std::move(text);
  return reply_error(reply, asked);
}

/// IANA registry "IMAP Response Codes", as of 2026-11.
constexpr const char* registered[] = {"ALERT",
                                      "ALREADYEXISTS",
                                      "ANNOTATE",
                                      "ANNOTATIONS",
                                      "APPENDUID",
                                      "AUTHENTICATIONFAILED",
                                      "AUTHORIZATIONFAILED",
                                      "BADCHARSET",
                                      "BADCOMPARATOR",
                                      "BADEVENT",
                                      "BADURL",
                                      "CANNOT",
                                      "CAPABILITY",
                                      "CLIENTBUG",
                                      "CLOSED",
                                      "COMPRESSIONACTIVE",
                                      "CONTACTADMIN",
                                      "COPYUID",
                                      "CORRUPTION",
                                      "EXPIRED",
                                      "EXPUNGEISSUED",
                                      "HASCHILDREN",
                                      "HIGHESTMODSEQ",
                                      "INPROGRESS",
                                      "INUSE",
                                      "LIMIT",
                                      "MAILBOXID",
                                      "MAXCONVERTMESSAGES",
                                      "MAXCONVERTPARTS",
                                      "MESSAGELIMIT",
                                      "METADATA",
                                      "MODIFIED",
                                      "NEWNAME",
                                      "NOMODSEQ",
                                      "NONEXISTENT",
                                      "NOPERM",
                                      "NOTIFICATIONOVERFLOW",
                                      "NOTSAVED",
                                      "NOUPDATE",
                                      "OVERQUOTA",
                                      "PARSE",
                                      "PERMANENTFLAGS",
                                      "PRIVACYREQUIRED",
                                      "READ-ONLY",
                                      "READ-WRITE",
                                      "REFERRAL",
                                      "SAVELIMIT",
                                      "SERVERBUG",
                                      "TEMPFAIL",
                                      "TOOBIG",
                                      "TRYCREATE",
                                      "UIDNEXT",
                                      "UIDNOTSTICKY",
                                      "UIDREQUIRED",
                                      "UIDVALIDITY",
                                      "UNAVAILABLE",
                                      "UNDEFINED-FILTER",
                                      "UNKNOWN-CTE",
                                      "UNSEEN",
                                      "URLMECH",
                                      "USEATTR"};

TEST(ReplyErrors, TheTableKnowsEveryRegisteredCode) {
  std::set<std::string_view> known;
  for (const CodeMeaning& meaning : code_meanings()) {
    EXPECT_TRUE(known.insert(meaning.code).second) << meaning.code << " stands there twice";
    EXPECT_FALSE(meaning.known_as.empty());
  }
  for (const char* code : registered) EXPECT_TRUE(known.contains(code)) << code;
}

TEST(ReplyErrors, EveryRefusalIsAnErrorOfTheMailDomainWithTheServersText) {
  for (const Condition condition : {Condition::no, Condition::bad, Condition::bye})
    for (const Asked asked : {Asked::sign_in, Asked::mailbox, Asked::messages, Asked::other})
      for (const CodeMeaning& meaning : code_meanings()) {
        const Error error = error_of(condition, std::string(meaning.code), "because of it", asked);
        EXPECT_EQ(error.domain, ErrorDomain::mail);
        EXPECT_NE(error.message.find("because of it"), std::string::npos);
        EXPECT_FALSE(error.code.empty());
      }
}

TEST(ReplyErrors, RefusedCredentialsAreNotTriedAgainAsTheyAre) {
  EXPECT_EQ(error_of(Condition::no, "AUTHENTICATIONFAILED", "no").retry, RetryClass::reauthenticate);
  EXPECT_EQ(error_of(Condition::no, "EXPIRED", "old password").retry, RetryClass::reauthenticate);
  EXPECT_EQ(error_of(Condition::no, "", "LOGIN failed.", Asked::sign_in).retry, RetryClass::reauthenticate);
  EXPECT_EQ(error_of(Condition::no, "ALERT", "Please log in via your web browser", Asked::sign_in).retry,
            RetryClass::reauthenticate);
  EXPECT_EQ(error_of(Condition::no, "", "LOGIN failed.", Asked::mailbox).retry, RetryClass::never);
}

TEST(ReplyErrors, WhatPassesIsNotTakenForAWrongPassword) {
  EXPECT_EQ(error_of(Condition::no, "UNAVAILABLE", "backend down", Asked::sign_in).retry, RetryClass::after);
  EXPECT_EQ(error_of(Condition::no, "INUSE", "locked", Asked::sign_in).retry, RetryClass::after);
  EXPECT_EQ(error_of(Condition::no, "ALERT", "Too many simultaneous connections.", Asked::sign_in).retry,
            RetryClass::after);
  EXPECT_EQ(error_of(Condition::no, "", "Temporary authentication failure", Asked::sign_in).retry,
            RetryClass::after);
  EXPECT_EQ(error_of(Condition::bye, "", "server shutting down").retry, RetryClass::after);
}

TEST(ReplyErrors, AHostThatHasTooMuchToDoWithUsIsKnownByOneName) {
  for (const char* text : {"Too many simultaneous connections.", "Rate limit hit", "Request is throttled"}) {
    EXPECT_EQ(error_of(Condition::no, "", text, Asked::mailbox).code, "THROTTLED") << text;
    EXPECT_EQ(error_of(Condition::bye, "", text).code, "THROTTLED") << text;
    EXPECT_EQ(error_of(Condition::no, "ALERT", text).code, "THROTTLED") << text;
  }
  const Error gmail =
      error_of(Condition::no, "OVERQUOTA", "Account exceeded command or bandwidth limits.", Asked::mailbox);
  EXPECT_EQ(gmail.code, "THROTTLED");
  EXPECT_EQ(gmail.retry, RetryClass::after);
  EXPECT_EQ(error_of(Condition::no, "OVERQUOTA", "Quota exceeded", Asked::other).code, "OVERQUOTA");
}

TEST(ReplyErrors, AuthenticatedButNotConnectedIsNoNetworkError) {
  for (const Condition condition : {Condition::no, Condition::bad}) {
    const Error error = error_of(condition, "", "User is authenticated but not connected.", Asked::mailbox);
    EXPECT_EQ(error.code, "not-authorised");
    EXPECT_EQ(error.retry, RetryClass::reauthenticate);
  }
}

TEST(ReplyErrors, AFolderThatIsNotThereIsGone) {
  EXPECT_EQ(error_of(Condition::no, "NONEXISTENT", "x", Asked::mailbox).code, "gone");
  EXPECT_EQ(error_of(Condition::no, "", "Mailbox doesn't exist: foo", Asked::mailbox).code, "gone");
  EXPECT_EQ(error_of(Condition::no, "", "Mailbox doesn't exist: foo", Asked::messages).code, "NO");
}

TEST(ReplyErrors, ADamagedMessageIsPutAsideAndADamagedFolderIsWaitedFor) {
  EXPECT_EQ(error_of(Condition::no, "CORRUPTION", "x", Asked::messages).retry, RetryClass::quarantine);
  EXPECT_EQ(error_of(Condition::no, "CORRUPTION", "x", Asked::mailbox).retry, RetryClass::after);
}

TEST(ReplyErrors, AnUnknownCodeSaysNothing) {
  const Error error = error_of(Condition::no, "FROBNICATED", "x");
  EXPECT_EQ(error.code, "NO");
  EXPECT_EQ(error.retry, RetryClass::never);
}

}  // namespace
}  // namespace syncline::imap
