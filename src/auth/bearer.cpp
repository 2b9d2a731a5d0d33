// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/bearer.hpp"

#include <algorithm>

#include "auth/fingerprint.hpp"
#include "base/base64.hpp"

namespace syncline::auth {

namespace {

class BearerSession final : public net::AuthSession {
 public:
  BearerSession(std::shared_ptr<TokenSource> source, bool allow_clear_text, net::AuthTarget target)
      : source_(std::move(source)), allow_clear_text_(allow_clear_text), target_(std::move(target)) {}

  net::Async<std::optional<std::string>> initial() override {
    if (!target_.url.is_tls() && !allow_clear_text_) {
      co_return fail(ErrorDomain::auth, "clear-text-refused",
                     "A bearer token would be sent in clear text to " + target_.url.authority());
    }
    auto token = co_await source_->token();
    if (!token) co_return fail(std::move(token).error());
    generation_ = token->generation;
    co_return std::optional<std::string>(header(*token));
  }

  net::Async<std::string> answer(std::span<const std::string> challenges) override {
    const auto parsed = parse_challenges(challenges);
    if (!generation_) {
      auto first = co_await initial();
      if (!first) co_return fail(std::move(first).error());
      co_return std::move(**first);
    }
    if (auto claims = claims_challenge(parsed)) {
      Error error{
          .domain = ErrorDomain::auth,
          .code = "claims-challenge",
          .message = "The server demands a sign-in that satisfies further conditions (conditional access)",
          .retry = RetryClass::reauthenticate};
      error.context.push_back("asked for claims " + *claims);
      co_return fail(std::move(error));
    }
    if (replaced_) co_return fail(refused(parsed));
    replaced_ = true;
    auto token = co_await source_->replace(*generation_);
    if (!token) co_return fail(std::move(token).error());
    if (token->generation == *generation_) co_return fail(refused(parsed));
    generation_ = token->generation;
    co_return header(*token);
  }

 private:
  static std::string header(const AccessToken& token) {
    std::string value = "Bearer ";
    value += token.value.reveal();
    return value;
  }

  static Error refused(std::span<const Challenge> challenges) {
    Error error{.domain = ErrorDomain::auth,
                .code = "token-refused",
                .message = "The server refused a fresh access token",
                .retry = RetryClass::reauthenticate};
    if (const Challenge* bearer = find_challenge(challenges, "bearer"); bearer != nullptr) {
      if (const auto why = bearer->find("error_description")) {
        error.message += ": " + std::string(*why);
      } else if (const auto code = bearer->find("error")) {
        error.message += ": " + std::string(*code);
      }
    }
    return error;
  }

  std::shared_ptr<TokenSource> source_;
  bool allow_clear_text_;
  net::AuthTarget target_;
  std::optional<std::uint64_t> generation_;
  bool replaced_ = false;
};

class BearerAuthenticator final : public net::Authenticator {
 public:
  BearerAuthenticator(std::shared_ptr<TokenSource> source, bool allow_clear_text)
      : source_(std::move(source)), allow_clear_text_(allow_clear_text) {}

  std::string_view scheme() const noexcept override { return "bearer"; }
  std::string pool_key() const override { return "bearer|" + source_->pool_key(); }
  bool connection_bound() const noexcept override { return false; }
  std::unique_ptr<net::AuthSession> start(const net::AuthTarget& target) override {
    return std::make_unique<BearerSession>(source_, allow_clear_text_, target);
  }

 private:
  std::shared_ptr<TokenSource> source_;
  bool allow_clear_text_;
};

class FixedToken final : public TokenSource {
 public:
  explicit FixedToken(Secret token) : token_(std::move(token)), fingerprint_(secret_fingerprint(token_)) {}

  net::Async<AccessToken> token() override { co_return AccessToken{token_, 1}; }
  net::Async<AccessToken> replace(std::uint64_t) override { co_return AccessToken{token_, 1}; }
  std::string pool_key() const override { return "fixed|" + fingerprint_; }
  void credentials_changed() override {}

 private:
  Secret token_;
  std::string fingerprint_;
};

}  // namespace

std::shared_ptr<net::Authenticator> make_bearer(std::shared_ptr<TokenSource> source, bool allow_clear_text) {
  return std::make_shared<BearerAuthenticator>(std::move(source), allow_clear_text);
}

Result<std::shared_ptr<TokenSource>> fixed_token(Secret token) {
  if (!is_bearer_token(token.reveal())) {
    return fail(ErrorDomain::auth, "bad-credentials", "This is not a bearer token");
  }
  return std::make_shared<FixedToken>(std::move(token));
}

std::optional<std::string> claims_challenge(std::span<const Challenge> challenges) {
  for (const Challenge& challenge : challenges) {
    if (challenge.scheme != "bearer") continue;
    const auto claims = challenge.find("claims");
    if (!claims || challenge.find("error") != "insufficient_claims") continue;
    // Sent as base64 or base64url, with or without padding.
    std::string padded(*claims);
    std::replace(padded.begin(), padded.end(), '-', '+');
    std::replace(padded.begin(), padded.end(), '_', '/');
    while (padded.size() % 4 != 0) padded += '=';
    auto decoded = base64_decode(padded);
    return decoded ? std::move(*decoded) : std::string(*claims);
  }
  return std::nullopt;
}

bool is_bearer_token(std::string_view token) noexcept {
  constexpr std::size_t max_octets = 64 * 1024;
  const std::string_view body = token.substr(0, token.find_last_not_of('=') + 1);
  if (body.empty() || token.size() > max_octets) return false;
  return std::all_of(body.begin(), body.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '.' || c == '_' || c == '~' || c == '+' || c == '/';
  });
}

}  // namespace syncline::auth
