// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/sasl_bearer.hpp"

#include <boost/json.hpp>
#include <optional>

#include "base/text.hpp"

namespace syncline::auth {

namespace {

/// RFC 5801 section 4: how a name stands in a GS2 header.
std::string gs2_name(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    if (c == ',') {
      escaped += "=2C";
    } else if (c == '=') {
      escaped += "=3D";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string one_line(std::string_view said) {
  constexpr std::size_t enough = 300;
  return text::escape_for_display(text::trim(said).substr(0, enough));
}

/// {"status":"invalid_token","scope":"…","schemes":"…"}: what a person can use of it. Anything else as it is.
std::string read_error(std::string_view challenge) {
  boost::json::error_code failure;
  boost::json::parse_options options;
  options.max_depth = 4;
  const boost::json::value parsed = boost::json::parse(challenge, failure, {}, options);
  if (failure || !parsed.is_object()) return challenge.empty() ? "no reason given" : one_line(challenge);
  std::string said;
  for (const std::string_view name : {"status", "error", "error_description", "scope"}) {
    const boost::json::value* member = parsed.get_object().if_contains(name);
    if (member == nullptr || !member->is_string() || member->get_string().empty()) continue;
    if (!said.empty()) said += ", ";
    said += std::string(name) + " " + one_line(std::string_view(member->get_string()));
  }
  return said.empty() ? one_line(challenge) : said;
}

class BearerSasl final : public SaslExchange {
 public:
  BearerSasl(BearerMechanism mechanism, std::string user, std::string host, std::uint16_t port,
             std::shared_ptr<TokenSource> token)
      : bearer_(mechanism),
        user_(std::move(user)),
        host_(std::move(host)),
        port_(port),
        token_(std::move(token)) {}

  std::string_view mechanism() const noexcept override {
    return bearer_ == BearerMechanism::xoauth2 ? "XOAUTH2" : "OAUTHBEARER";
  }
  bool client_first() const noexcept override { return true; }

  net::Async<Secret> respond(std::string challenge) override {
    if (challenge.size() > max_sasl_challenge_octets || turn_ > 1) {
      co_return fail(ErrorDomain::auth, "sasl-protocol",
                     std::string(mechanism()) + ": a challenge that is too long or one too many");
    }
    if (turn_++ == 0) {
      auto token = co_await token_->token();
      if (!token) co_return fail(std::move(token).error());
      generation_ = token->generation;
      co_return initial(*token);
    }
    // this is an error report, and the server waits for its acknowledgement before it says NO.
    server_error_ = read_error(challenge);
    // RFC 7628 section 3.2.3: one 0x01. XOAUTH2 wants an empty line.
    std::string acknowledgement = bearer_ == BearerMechanism::xoauth2 ? "" : "\x01";
    co_return Secret(std::move(acknowledgement));
  }

  Result<void> finished() override { return {}; }
  std::string server_error() const override { return server_error_; }

  net::Async<bool> renew(std::string) override {
    if (!generation_) co_return false;
    auto token = co_await token_->replace(*generation_);
    if (!token) co_return fail(std::move(token).error());
    if (token->generation == *generation_) co_return false;
    turn_ = 0;
    server_error_.clear();
    co_return true;
  }

 private:
  Secret initial(const AccessToken& token) const {
    std::string message;
    const std::string_view value = token.value.reveal();
    // In one piece, so that no copy of the token is left behind by a growing string.
    message.reserve(64 + 3 * user_.size() + host_.size() + value.size());
    if (bearer_ == BearerMechanism::xoauth2) {
      message += "user=" + user_ + "\x01";
    } else {
      message +=
          "n,a=" + gs2_name(user_) + ",\x01host=" + host_ + "\x01port=" + std::to_string(port_) + "\x01";
    }
    message += "auth=Bearer ";
    message += value;
    message += "\x01\x01";
    return Secret(std::move(message));
  }

  BearerMechanism bearer_;
  std::string user_;
  std::string host_;
  std::uint16_t port_;
  std::shared_ptr<TokenSource> token_;
  std::optional<std::uint64_t> generation_;
  std::string server_error_;
  unsigned turn_ = 0;
};

}  // namespace

std::unique_ptr<SaslExchange> make_bearer_exchange(BearerMechanism mechanism, std::string user,
                                                   std::string host, std::uint16_t port,
                                                   std::shared_ptr<TokenSource> token) {
  return std::make_unique<BearerSasl>(mechanism, std::move(user), std::move(host), port, std::move(token));
}

}  // namespace syncline::auth
