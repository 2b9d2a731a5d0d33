// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "service/mailbox_test/causes.hpp"
#include "service/mailbox_test/mailbox_test.hpp"

namespace syncline::service {
namespace {

TEST(Causes, AreInOrderEachOnceAndAllHaveARemedy) {
  EXPECT_TRUE(std::is_sorted(causes().begin(), causes().end(),
                             [](const Cause& a, const Cause& b) { return a.id < b.id; }));
  std::set<std::string_view> ids;
  for (const Cause& cause : causes()) {
    EXPECT_TRUE(ids.insert(cause.id).second) << cause.id;
    EXPECT_FALSE(cause.text.empty() || cause.remedy.empty()) << cause.id;
    EXPECT_EQ(find_cause(cause.id), &cause);
  }
  EXPECT_EQ(find_cause("nothing"), nullptr);
}

TEST(Causes, AreTheOnesOfTheDocument) {
  std::ifstream file(std::string(SYNCLINE_SOURCE_DIR) + "/docs/mailbox-test.md");
  ASSERT_TRUE(file);
  std::set<std::string> documented;
  bool is_reached = false;
  for (std::string line; std::getline(file, line); is_reached = is_reached || line == "## Causes")
    if (is_reached && line.starts_with("| `")) documented.insert(line.substr(3, line.find('`', 3) - 3));
  std::set<std::string> ours;
  for (const Cause& cause : causes()) ours.emplace(cause.id);
  EXPECT_EQ(documented, ours);
}

TEST(Causes, OfEveryErrorIsOne) {
  for (int domain = 0; domain <= static_cast<int>(ErrorDomain::mail); ++domain)
    for (const RetryClass retry : {RetryClass::never, RetryClass::after, RetryClass::reauthenticate}) {
      const Error error{
          .domain = static_cast<ErrorDomain>(domain), .code = "unheard-of", .message = "?", .retry = retry};
      EXPECT_FALSE(cause_of(error).text.empty());
    }
  EXPECT_EQ(cause_of({.domain = ErrorDomain::ews, .code = "x", .retry = RetryClass::after}).id,
            "server-trouble");
  EXPECT_EQ(cause_of({.domain = ErrorDomain::ews, .code = "x"}).id, "other");
}

TEST(Causes, GoByCodesAndByWords) {
  const auto cause = [](ErrorDomain domain, std::string code, std::string message) {
    return cause_of({.domain = domain, .code = std::move(code), .message = std::move(message)}).id;
  };
  using D = ErrorDomain;
  EXPECT_EQ(cause(D::tls, "certificate", "the certificate of h was refused: certificate has expired"),
            "certificate-expired");
  EXPECT_EQ(cause(D::tls, "certificate", "hostname mismatch"), "certificate-wrong-name");
  EXPECT_EQ(cause(D::tls, "certificate", "unable to get local issuer certificate"),
            "certificate-unknown-authority");
  EXPECT_EQ(cause(D::auth, "invalid_grant", "The token endpoint refused: AADSTS50076: Due to a change"),
            "mfa-needed");
  EXPECT_EQ(
      cause(D::auth, "invalid_grant", "The token endpoint refused: AADSTS53003: Access has been blocked"),
      "conditional-access");
  EXPECT_EQ(cause(D::auth, "invalid_grant", "it has expired"), "sign-in-expired");
  EXPECT_EQ(cause(D::ews, "ErrorImpersonateUserDenied", "no"), "impersonation-denied");
  EXPECT_EQ(cause(D::net, "something-new", "no"), "no-answer");
}

TEST(Causes, OfAFailureKeepTheServersWordsWithinLimits) {
  const StepFailure failure = failure_of({.domain = ErrorDomain::mail,
                                          .code = "mailbox-full",
                                          .message = std::string(5000, 'x') + "\xC3\xA4\x01"});
  EXPECT_EQ(failure.cause, "mailbox-full");
  EXPECT_LT(failure.said.size(), 1100U);
}

}  // namespace
}  // namespace syncline::service
