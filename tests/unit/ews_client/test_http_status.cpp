// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "ews/client/http_status.hpp"
#include "ews/client/operation_kind.hpp"

namespace syncline::ews {
namespace {

using namespace std::chrono_literals;

constexpr SystemTime now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22};

net::Headers headers(std::initializer_list<std::pair<const char*, const char*>> fields) {
  net::Headers made;
  for (const auto& [name, value] : fields) made.add(name, value);
  return made;
}

TEST(HttpStatus, OnlyXmlOfTwoHundredAndFiveHundredIsReadAsSoap) {
  EXPECT_TRUE(may_be_soap(200, headers({{"Content-Type", "text/xml; charset=utf-8"}})));
  EXPECT_TRUE(may_be_soap(500, headers({{"content-type", "TEXT/XML"}})));
  EXPECT_TRUE(may_be_soap(200, headers({})));
  EXPECT_FALSE(may_be_soap(200, headers({{"Content-Type", "text/html"}})));
  EXPECT_FALSE(may_be_soap(503, headers({{"Content-Type", "text/xml"}})));
}

TEST(HttpStatus, LoginPageIsNamedAndNeverTakenForAnAnswer) {
  const Error error = error_of(200, headers({{"Content-Type", "text/html"}}), "<html>Sign in", now);
  EXPECT_EQ(error.code, "html-page");
  EXPECT_EQ(error.retry, RetryClass::rediscover);
}

TEST(HttpStatus, SwitchedOffEwsIsTold) {
  for (const char* body : {"EWS is disabled for this user", "The tenant has EWSEnabled set to false."}) {
    const Error error = error_of(403, headers({}), body, now);
    EXPECT_EQ(error.code, "ews-disabled") << body;
    EXPECT_EQ(error.retry, RetryClass::never);
  }
  EXPECT_EQ(error_of(403, headers({}), "Access denied", now).code, "forbidden");
  EXPECT_NE(error_of(403, headers({}), "", now).message.find("switched off"), std::string::npos);
}

TEST(HttpStatus, MarkupIsNotRepeated) {
  const std::string page =
      "<html><head><title>403 - Forbidden</title><style>p{}</style></head><body>x</body></html>";
  const std::string said = error_of(403, headers({{"Content-Type", "text/html"}}), page, now).message;
  EXPECT_NE(said.find("\"403 - Forbidden\""), std::string::npos) << said;
  EXPECT_EQ(said.find('<'), std::string::npos) << said;
  EXPECT_NE(error_of(503, headers({}), "<a>Too\n <b>busy", now).message.find("Too busy"), std::string::npos);
}

TEST(HttpStatus, BusyCarriesTheHint) {
  const Error error = error_of(503, headers({{"Retry-After", "300"}}), "", now);
  EXPECT_EQ(error.retry, RetryClass::after);
  EXPECT_EQ(error.retry_after, 300s);
}

TEST(HttpStatus, TooLargeIsNotTriedAgain) {
  for (const int status : {413, 507}) {
    const Error error = error_of(status, headers({}), "", now);
    EXPECT_EQ(error.code, "request-too-large");
    EXPECT_EQ(error.retry, RetryClass::never);
  }
}

TEST(HttpStatus, EveryStatusHasAMessage) {
  for (int status = 200; status < 600; ++status) {
    const Error error = error_of(status, headers({}), "", now);
    EXPECT_FALSE(error.message.empty()) << status;
    EXPECT_FALSE(error.code.empty()) << status;
  }
}

TEST(MayHaveBeenDone, LostAndCutRepliesAreUncertain) {
  EXPECT_TRUE(may_have_been_done(
      {.domain = ErrorDomain::net, .code = "response-timeout", .message = "", .retry = RetryClass::after}));
  EXPECT_TRUE(may_have_been_done({.domain = ErrorDomain::xml, .code = "truncated", .message = ""}));
  EXPECT_TRUE(may_have_been_done(
      {.domain = ErrorDomain::http, .code = "http-504", .message = "", .http_status = 504}));
  EXPECT_TRUE(may_have_been_done({.domain = ErrorDomain::ews, .code = "ErrorTimeoutExpired", .message = ""}));
}

TEST(MayHaveBeenDone, AnswersAndWhatWasNeverSentAreCertain) {
  EXPECT_FALSE(may_have_been_done(
      {.domain = ErrorDomain::net, .code = "connection-refused", .message = "", .retry = RetryClass::after}));
  for (const int too_large : {413, 507})
    EXPECT_FALSE(may_have_been_done(error_of(too_large, headers({}), "", now))) << too_large;
  EXPECT_FALSE(may_have_been_done({.domain = ErrorDomain::ews, .code = "ErrorItemNotFound", .message = ""}));
  EXPECT_FALSE(may_have_been_done({.domain = ErrorDomain::auth, .code = "refused", .message = ""}));
}

TEST(OperationKind, WritesAreWhateverIsNotKnownToBeARead) {
  EXPECT_EQ(kind_of("GetItem"), OperationKind::read);
  EXPECT_EQ(kind_of("SyncFolderItems"), OperationKind::sync);
  EXPECT_EQ(kind_of("GetStreamingEvents"), OperationKind::hanging);
  EXPECT_EQ(kind_of("CreateItem"), OperationKind::write);
  EXPECT_EQ(kind_of("SomethingNew"), OperationKind::write);
}

}  // namespace
}  // namespace syncline::ews
