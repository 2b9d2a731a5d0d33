// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/basic.hpp"

#include <mutex>
#include <set>

#include "auth/challenge.hpp"
#include "auth/fingerprint.hpp"
#include "base/base64.hpp"
#include "base/text.hpp"

namespace syncline::auth {

namespace {

bool has_control_character(std::string_view text) noexcept {
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7f) return true;
  }
  return false;
}

class BasicAuthenticator final : public net::Authenticator,
                                 public std::enable_shared_from_this<BasicAuthenticator> {
 public:
  BasicAuthenticator(PasswordCredentials credentials, bool allow_clear_text)
      : credentials_(std::move(credentials)),
        allow_clear_text_(allow_clear_text),
        pool_key_("basic|" + credentials_.user + "|" + secret_fingerprint(credentials_.password)) {}

  std::string_view scheme() const noexcept override { return "basic"; }
  std::string pool_key() const override { return pool_key_; }
  bool connection_bound() const noexcept override { return false; }
  std::unique_ptr<net::AuthSession> start(const net::AuthTarget& target) override;

  bool asked_before(const std::string& origin) const {
    const std::lock_guard lock(mutex_);
    return asked_.contains(origin);
  }
  void remember(const std::string& origin) {
    const std::lock_guard lock(mutex_);
    asked_.insert(origin);
  }
  Result<std::string> header(const net::AuthTarget& target) const {
    if (!target.url.is_tls() && !allow_clear_text_) {
      return fail(ErrorDomain::auth, "clear-text-refused",
                  "Basic authentication would send the password in clear text to " + target.url.authority());
    }
    std::string plain = credentials_.user + ":";
    plain += credentials_.password.reveal();
    std::string value = "Basic " + base64_encode(plain);
    wipe(plain);
    return value;
  }

 private:
  PasswordCredentials credentials_;
  bool allow_clear_text_;
  std::string pool_key_;
  mutable std::mutex mutex_;
  std::set<std::string> asked_;  ///< origins that have asked for Basic
};

class BasicSession final : public net::AuthSession {
 public:
  BasicSession(std::shared_ptr<BasicAuthenticator> authenticator, net::AuthTarget target)
      : authenticator_(std::move(authenticator)),
        target_(std::move(target)),
        origin_((target_.proxy ? "proxy " : "") + target_.url.scheme + "://" + target_.url.authority()) {}

  net::Async<std::optional<std::string>> initial() override {
    if (!authenticator_->asked_before(origin_)) co_return std::optional<std::string>();
    auto value = authenticator_->header(target_);
    if (!value) co_return fail(std::move(value).error());
    sent_ = true;
    co_return std::optional<std::string>(std::move(*value));
  }

  net::Async<std::string> answer(std::span<const std::string> challenges) override {
    const auto parsed = parse_challenges(challenges);
    if (find_challenge(parsed, "basic") == nullptr) {
      co_return fail(ErrorDomain::auth, "scheme-not-offered",
                     "The server does not offer Basic authentication");
    }
    if (sent_) {
      co_return fail(ErrorDomain::auth, "credentials-refused", "The server refused the user name or password",
                     RetryClass::reauthenticate);
    }
    auto value = authenticator_->header(target_);
    if (!value) co_return fail(std::move(value).error());
    authenticator_->remember(origin_);
    sent_ = true;
    co_return std::move(*value);
  }

 private:
  std::shared_ptr<BasicAuthenticator> authenticator_;
  net::AuthTarget target_;
  std::string origin_;
  bool sent_ = false;
};

std::unique_ptr<net::AuthSession> BasicAuthenticator::start(const net::AuthTarget& target) {
  return std::make_unique<BasicSession>(shared_from_this(), target);
}

}  // namespace

Result<void> check_credentials(const PasswordCredentials& credentials) {
  if (credentials.user.empty()) return fail(ErrorDomain::auth, "bad-credentials", "The user name is empty");
  if (!text::is_valid_utf8(credentials.user) || has_control_character(credentials.user)) {
    return fail(ErrorDomain::auth, "bad-credentials",
                "The user name holds control characters or is not UTF-8");
  }
  if (!text::is_valid_utf8(credentials.password.reveal()) ||
      has_control_character(credentials.password.reveal())) {
    return fail(ErrorDomain::auth, "bad-credentials",
                "The password holds control characters or is not UTF-8");
  }
  return {};
}

Result<std::shared_ptr<net::Authenticator>> make_basic(PasswordCredentials credentials,
                                                       bool allow_clear_text) {
  if (auto checked = check_credentials(credentials); !checked) return fail(std::move(checked).error());
  // RFC 7617 section 2: the first colon ends the user name.
  if (credentials.user.find(':') != std::string::npos) {
    return fail(ErrorDomain::auth, "bad-credentials",
                "Basic authentication cannot carry a user name with a colon");
  }
  return std::make_shared<BasicAuthenticator>(std::move(credentials), allow_clear_text);
}

}  // namespace syncline::auth
