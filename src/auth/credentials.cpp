// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/credentials.hpp"

#include <map>
#include <mutex>
#include <vector>

#include "auth/bearer.hpp"
#include "auth/challenge.hpp"
#include "auth/fingerprint.hpp"

namespace syncline::auth {

namespace {

using Schemes = std::vector<std::shared_ptr<net::Authenticator>>;

/// Which scheme served a server last.
class Learned {
 public:
  std::shared_ptr<net::Authenticator> find(const std::string& origin) const {
    const std::lock_guard lock(mutex_);
    const auto known = by_origin_.find(origin);
    return known == by_origin_.end() ? nullptr : known->second;
  }
  void remember(const std::string& origin, std::shared_ptr<net::Authenticator> scheme) {
    const std::lock_guard lock(mutex_);
    by_origin_[origin] = std::move(scheme);
  }
  void forget(const std::string& origin) {
    const std::lock_guard lock(mutex_);
    by_origin_.erase(origin);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<net::Authenticator>> by_origin_;
};

class ChoosingSession final : public net::AuthSession {
 public:
  ChoosingSession(Schemes schemes, std::shared_ptr<Learned> learned, net::AuthTarget target)
      : schemes_(std::move(schemes)),
        learned_(std::move(learned)),
        target_(std::move(target)),
        origin_((target_.proxy ? "proxy " : "") + target_.url.scheme + "://" + target_.url.authority()) {}

  net::Async<std::optional<std::string>> initial() override {
    auto known = learned_->find(origin_);
    if (!known) co_return std::optional<std::string>();
    session_ = known->start(target_);
    scheme_ = known;
    auto value = co_await session_->initial();
    if (value) co_return std::move(*value);
    // What worked before cannot begin now (a ticket ran out): ask the server anew.
    session_.reset();
    learned_->forget(origin_);
    co_return std::optional<std::string>();
  }

  net::Async<std::string> answer(std::span<const std::string> challenges) override {
    if (session_) {
      auto value = co_await session_->answer(challenges);
      if (!value) learned_->forget(origin_);
      co_return value;
    }
    const auto parsed = parse_challenges(challenges);
    std::optional<Error> reason;
    std::string offered;
    for (const Challenge& challenge : parsed) offered += (offered.empty() ? "" : ", ") + challenge.scheme;
    for (const auto& scheme : schemes_) {
      if (find_challenge(parsed, scheme->scheme()) == nullptr) continue;
      session_ = scheme->start(target_);
      auto value = co_await session_->answer(challenges);
      if (value) {
        learned_->remember(origin_, scheme);
        scheme_ = scheme;
        co_return value;
      }
      session_.reset();
      const bool final_word =
          value.error().code == "credentials-refused" || value.error().code == "cancelled";
      reason = std::move(value).error();
      if (final_word) break;
    }
    if (reason) co_return fail(std::move(*reason));
    co_return fail(
        ErrorDomain::auth, "scheme-not-offered",
        "The server offers " + (offered.empty() ? "no scheme" : offered) + ", and none of these is allowed");
  }

  bool binds_connection() const noexcept override {
    return scheme_ != nullptr && scheme_->connection_bound();
  }

  Result<void> accepted(std::span<const std::string> challenges) override {
    return session_ ? session_->accepted(challenges) : Result<void>();
  }

 private:
  Schemes schemes_;
  std::shared_ptr<Learned> learned_;
  net::AuthTarget target_;
  std::string origin_;
  std::unique_ptr<net::AuthSession> session_;
  std::shared_ptr<net::Authenticator> scheme_;  ///< the one session_ is of
};

class ChoosingAuthenticator final : public net::Authenticator {
 public:
  ChoosingAuthenticator(Schemes schemes, const PasswordCredentials& credentials)
      : schemes_(std::move(schemes)), learned_(std::make_shared<Learned>()) {
    pool_key_ = "auto|" + credentials.user + "|" + secret_fingerprint(credentials.password);
    for (const auto& scheme : schemes_) pool_key_ += "|" + std::string(scheme->scheme());
  }

  std::string_view scheme() const noexcept override { return "auto"; }
  std::string pool_key() const override { return pool_key_; }
  /// Before the server has said what it offers, a connection must be taken for one that will be bound.
  bool connection_bound() const noexcept override { return true; }
  std::unique_ptr<net::AuthSession> start(const net::AuthTarget& target) override {
    return std::make_unique<ChoosingSession>(schemes_, learned_, target);
  }

 private:
  Schemes schemes_;
  std::shared_ptr<Learned> learned_;
  std::string pool_key_;
};

Result<std::shared_ptr<net::Authenticator>> choose_for_password(const PasswordCredentials& credentials,
                                                                const AllowedSchemes& allowed,
                                                                const std::shared_ptr<BlockingPool>& pool) {
  Schemes schemes;
  if (allowed.negotiate) {
    auto made =
        make_negotiate(credentials, NegotiateMechanisms{.kerberos = true, .ntlm = allowed.ntlm}, pool);
    if (!made) return made;
    schemes.push_back(std::move(*made));
  }
  if (allowed.ntlm) {
    auto made = make_ntlm(credentials, pool);
    if (!made) return made;
    schemes.push_back(std::move(*made));
  }
  if (allowed.basic) {
    auto made = make_basic(credentials, allowed.clear_text);
    // A user name that Basic cannot carry is no fault where a stronger scheme is allowed.
    if (!made && schemes.empty()) return made;
    if (made) schemes.push_back(std::move(*made));
  }
  if (schemes.empty()) return fail(ErrorDomain::auth, "bad-settings", "No authentication scheme is allowed");
  if (schemes.size() == 1) return schemes.front();
  return std::make_shared<ChoosingAuthenticator>(std::move(schemes), credentials);
}

}  // namespace

Result<std::shared_ptr<net::Authenticator>> make_authenticator(Credentials credentials,
                                                               AllowedSchemes allowed,
                                                               std::shared_ptr<BlockingPool> pool) {
  if (auto* source = std::get_if<std::shared_ptr<TokenSource>>(&credentials)) {
    if (!*source) return fail(ErrorDomain::auth, "bad-credentials", "There is no token source");
    return make_bearer(std::move(*source), allowed.clear_text);
  }
  if (auto* ticket = std::get_if<KerberosCredentials>(&credentials)) {
    if (!allowed.negotiate)
      return fail(ErrorDomain::auth, "bad-settings", "Kerberos needs Negotiate to be allowed");
    return make_negotiate(std::move(*ticket), NegotiateMechanisms{.kerberos = true, .ntlm = false},
                          std::move(pool));
  }
  return choose_for_password(std::get<PasswordCredentials>(credentials), allowed, pool);
}

}  // namespace syncline::auth
