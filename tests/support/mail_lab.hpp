// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Real mail servers for tests: Dovecot and Postfix on free loopback ports, in a folder of their own
// (tests/mailservers). They go with the object, and with the process should it die.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "net/resolver_overrides.hpp"

namespace syncline::testing {

class MailLab {
 public:
  struct Options {
    bool smtp = true;  ///< Postfix too
  };
  /// About two seconds. Errors: local "missing" (a package is not installed, or Postfix is wanted and we are
  /// not root), "lab-failed".
  static Result<std::unique_ptr<MailLab>> start(Options options);
  ~MailLab();
  MailLab(const MailLab&) = delete;
  MailLab& operator=(const MailLab&) = delete;

  struct Ports {
    std::uint16_t imap = 0;   ///< STARTTLS
    std::uint16_t imaps = 0;  ///< TLS from the first octet, as every name that ends in s
    std::uint16_t pop3 = 0;
    std::uint16_t pop3s = 0;
    std::uint16_t smtp = 0;        ///< as an MX, no login
    std::uint16_t submission = 0;  ///< STARTTLS and login
    std::uint16_t smtps = 0;       ///< login
  };
  const Ports& ports() const noexcept { return ports_; }
  /// The CA to trust.
  std::string ca_file() const { return (folder_ / "tls/ca.pem").string(); }
  /// A CA that signed none of the servers' certificates but that of untrusted.lab.test.
  std::string other_ca_file() const { return (folder_ / "tls/otherca.pem").string(); }
  const std::filesystem::path& folder() const noexcept { return folder_; }

  /// Names that the servers have certificates for: good ("localhost", "mail.lab.test") and faulty ones
  /// ("wrongname.lab.test", "untrusted.lab.test", "expired.lab.test"); for SystemSettings::resolve.
  static std::vector<net::ResolveOverride> names();
  /// "alice" is "alice@lab.test"; users: alice, bob, carol, dave, sink.
  static std::string address(std::string_view user) { return std::string(user) + "@lab.test"; }
  static std::string password() { return "lab-secret"; }
  /// A bearer token for XOAUTH2 and OAUTHBEARER; a negative lifetime makes an expired one.
  Result<std::string> token(std::string_view user,
                            std::chrono::seconds lifetime = std::chrono::hours(1)) const;

  /// Puts a message (CRLF or LF lines) into a user's mailbox behind the servers' back, as a delivery does.
  Result<void> deliver(std::string_view user, std::string_view message);
  /// Fills a user's inbox with generated mail: the same for the same seed, 2 to `most_kb` KB each.
  Result<void> generate(std::string_view user, unsigned count, unsigned seed = 1, unsigned most_kb = 60);
  /// Every file below a user's Maildir.
  std::vector<std::filesystem::path> files_of(std::string_view user) const;
  /// Ends connections as an administrator does: `doveadm kick USER`.
  Result<void> kick(std::string_view user);

 private:
  MailLab() = default;
  std::filesystem::path folder_;
  Ports ports_;
  unsigned delivered_ = 0;
};

/// One lab for a suite; every test of it says SKIPPED where the servers are not installed.
class WithMailLab : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { start_lab({}); }
  static void TearDownTestSuite() { lab_.reset(); }
  static void start_lab(MailLab::Options options) {
    auto started = MailLab::start(options);
    if (started)
      lab_ = std::move(*started);
    else if (started.error().code == "missing")
      missing_ = started.error().message;
    else
      FAIL() << started.error().describe();
  }
  void SetUp() override {
    if (!missing_.empty()) GTEST_SKIP() << missing_;
    ASSERT_NE(lab_, nullptr) << "the servers did not start";
  }
  static MailLab& lab() { return *lab_; }

 private:
  static inline std::unique_ptr<MailLab> lab_;
  static inline std::string missing_;
};

}  // namespace syncline::testing
