// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/oauth.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <mutex>
#include <utility>
#include <vector>

#include "auth/bearer.hpp"
#include "auth/fingerprint.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace syncline::auth {

namespace {

using std::chrono::seconds;

constexpr std::uint64_t max_response_octets = 256 * 1024;
constexpr seconds longest_lifetime{48 * 3600};
/// RFC 6749 section 5.1: expires_in is only recommended. Short enough to be harmless, long enough not to
/// hammer.
constexpr seconds assumed_lifetime{300};
/// A token this young that is refused would be refused again: asking for another cannot help.
constexpr seconds fresh{60};

void append_form_field(std::string& body, std::string_view name, std::string_view value) {
  if (!body.empty()) body += '&';
  body += name;
  body += '=';
  static constexpr char digits[] = "0123456789ABCDEF";
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '.' || c == '_' || c == '*';
    if (plain) {
      body += c;
    } else {
      body += '%';
      body += digits[octet >> 4];
      body += digits[octet & 15];
    }
  }
}

std::string string_member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* member = object.if_contains(name);
  return member != nullptr && member->is_string() ? std::string(member->get_string()) : std::string();
}

/// Microsoft sends a number or the digits as text.
seconds lifetime_member(const boost::json::object& object) {
  const boost::json::value* member = object.if_contains("expires_in");
  std::optional<std::int64_t> given;
  if (member != nullptr && member->is_int64()) given = member->get_int64();
  if (member != nullptr && member->is_string())
    given = text::parse_int(std::string_view(member->get_string()));
  if (!given || *given <= 0) return assumed_lifetime;
  return std::min(seconds(*given), longest_lifetime);
}

RetryClass retry_class_of(std::string_view code, int status) noexcept {
  // RFC 6749 section 5.2, OpenID Connect Core section 3.1.2.6: what a person or new settings can cure.
  for (const std::string_view needs_person :
       {"invalid_grant", "interaction_required", "login_required", "consent_required",
        "account_selection_required", "invalid_client", "unauthorized_client", "access_denied"}) {
    if (code == needs_person) return RetryClass::reauthenticate;
  }
  if (code == "temporarily_unavailable" || code == "server_error" || code == "slow_down")
    return RetryClass::after;
  if (status == 408 || status == 429 || status >= 500) return RetryClass::after;
  return RetryClass::never;
}

Error endpoint_error(const net::HttpResponse& response, std::string code, std::string message) {
  Error error{.domain = ErrorDomain::auth, .code = std::move(code), .message = std::move(message)};
  error.retry = retry_class_of(error.code, response.status);
  error.http_status = response.status;
  if (error.retry == RetryClass::after) {
    if (const auto hint = response.headers.find("Retry-After")) {
      const auto wait = text::parse_int(text::trim(*hint));
      if (wait && *wait >= 0 && *wait <= 24 * 3600) error.retry_after = seconds(*wait);
    }
  }
  return error;
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

/// The two grants differ in the form they send and in what they do with a new refresh token.
class Grant {
 public:
  virtual ~Grant() = default;
  /// Adds grant_type and what goes with it.
  virtual Result<void> fill(std::string& form) = 0;
  /// The endpoint gave `grant`: what must be durable is, when this succeeds.
  virtual Result<void> keep(const TokenGrant& grant) = 0;
  /// After invalid_grant: true if another process has put a new credential in place since fill().
  virtual bool changed_since() = 0;
  virtual std::string key() const = 0;
};

class ClientCredentialsGrant final : public Grant {
 public:
  Result<void> fill(std::string& form) override {
    append_form_field(form, "grant_type", "client_credentials");
    return {};
  }
  Result<void> keep(const TokenGrant&) override { return {}; }
  bool changed_since() override { return false; }
  std::string key() const override { return "app"; }
};

class RefreshGrant final : public Grant {
 public:
  RefreshGrant(SecretStore& store, std::string key) : store_(store), key_(std::move(key)) {}

  Result<void> fill(std::string& form) override {
    auto kept = store_.get(key_);
    if (!kept) return fail(std::move(kept).error().during("reading the refresh token"));
    if (!*kept || (*kept)->empty()) {
      return fail(ErrorDomain::auth, "no-refresh-token", "Nobody has signed in for this mailbox yet",
                  RetryClass::reauthenticate);
    }
    used_ = std::move(**kept);
    append_form_field(form, "grant_type", "refresh_token");
    append_form_field(form, "refresh_token", used_.reveal());
    return {};
  }

  Result<void> keep(const TokenGrant& grant) override {
    if (grant.refresh_token.empty() || grant.refresh_token.reveal() == used_.reveal()) return {};
    if (auto kept = store_.put(key_, grant.refresh_token); !kept) {
      return fail(std::move(kept).error().during("keeping the new refresh token"));
    }
    used_ = grant.refresh_token;
    return {};
  }

  bool changed_since() override {
    const auto kept = store_.get(key_);
    return kept && *kept && (*kept)->reveal() != used_.reveal();
  }
  std::string key() const override { return key_; }

 private:
  SecretStore& store_;
  std::string key_;
  Secret used_;
};

class CachedTokenSource final : public TokenSource, public std::enable_shared_from_this<CachedTokenSource> {
 public:
  CachedTokenSource(TokenEnvironment environment, TokenEndpoint endpoint, std::unique_ptr<Grant> grant)
      : environment_(std::move(environment)),
        endpoint_(std::move(endpoint)),
        grant_(std::move(grant)),
        pool_key_(make_pool_key()) {}

  net::Async<AccessToken> token() override { return get(std::nullopt); }
  net::Async<AccessToken> replace(std::uint64_t refused_generation) override {
    return get(refused_generation);
  }
  std::string pool_key() const override { return pool_key_; }

  void credentials_changed() override {
    const std::lock_guard lock(mutex_);
    cached_.reset();
    standing_refusal_.reset();
    pause_.reset();
  }

 private:
  struct Cached {
    AccessToken token;
    SteadyTime issued;
    SteadyTime renew_at;
    SteadyTime ends;
  };
  struct Pause {
    Error error;
    SteadyTime until;
  };
  struct Waiter {
    explicit Waiter(net::asio::any_io_executor executor) : ready(std::move(executor), 1) {}
    net::asio::experimental::concurrent_channel<void(boost::system::error_code)> ready;
    std::optional<Result<AccessToken>> outcome;
  };
  struct Received {
    TokenGrant grant;
    SteadyTime at;
  };

  std::string make_pool_key() const {
    std::string proof = "public";
    if (const auto* secret = std::get_if<Secret>(&endpoint_.proof)) proof = secret_fingerprint(*secret);
    if (const auto* certificate = std::get_if<ClientCertificate>(&endpoint_.proof))
      proof = certificate->thumbprint();
    return endpoint_.url.to_string() + "|" + endpoint_.client_id + "|" + endpoint_.scope + "|" +
           grant_->key() + "|" + proof;
  }

  net::Async<AccessToken> get(std::optional<std::uint64_t> refused_generation) {
    // The caller may drop its reference while it waits.
    const auto self = shared_from_this();
    co_await net::asio::this_coro::throw_if_cancelled(false);
    auto waiter = std::make_shared<Waiter>(co_await net::asio::this_coro::executor);
    bool first = false;
    {
      const std::lock_guard lock(mutex_);
      const SteadyTime now = environment_.clock.steady_now();
      if (standing_refusal_) co_return fail(*standing_refusal_);
      if (cached_) {
        const bool refused = refused_generation == cached_->token.generation;
        if (!refused && now < cached_->renew_at) co_return cached_->token;
        // The same token back tells the caller that there is no better one.
        if (refused && now - cached_->issued < fresh) co_return cached_->token;
        if (refused) cached_.reset();
      }
      if (pause_ && now < pause_->until) {
        if (cached_ && now < cached_->ends) co_return cached_->token;
        co_return fail(pause_->error);
      }
      pause_.reset();
      waiters_.push_back(waiter);
      first = !std::exchange(in_flight_, true);
    }
    // Detached: the first one to ask may give up without taking the others' answer away. Outside the lock: it
    // may run to its end before co_spawn returns.
    if (first) net::asio::co_spawn(environment_.executor, refresh(self), net::asio::detached);
    const auto [failure] =
        co_await waiter->ready.async_receive(net::asio::as_tuple(net::asio::use_awaitable));
    if (failure) co_return fail(ErrorDomain::net, "cancelled", "Waiting for an access token was cancelled");
    co_return std::move(*waiter->outcome);
  }

  static net::asio::awaitable<void> refresh(std::shared_ptr<CachedTokenSource> self) {
    auto received = co_await self->obtain();
    self->deliver(std::move(received));
  }

  void deliver(Result<Received> received) {
    std::vector<std::shared_ptr<Waiter>> waiters;
    Result<AccessToken> outcome = fail(ErrorDomain::auth, "no-token", "No token was obtained");
    {
      const std::lock_guard lock(mutex_);
      const SteadyTime now = environment_.clock.steady_now();
      if (received) {
        const auto lifetime = received->grant.lifetime;
        const auto margin = std::min(lifetime / 4, seconds(300));
        cached_ = Cached{AccessToken{std::move(received->grant.access_token), ++generation_}, received->at,
                         received->at + lifetime - margin, received->at + lifetime};
        outcome = cached_->token;
      } else {
        const Error& error = received.error();
        if (error.retry == RetryClass::reauthenticate) {
          standing_refusal_ = error;
          cached_.reset();
        } else if (error.retry == RetryClass::after && error.retry_after) {
          pause_ = Pause{error, now + *error.retry_after};
        }
        if (cached_ && now < cached_->ends) {
          outcome = cached_->token;
        } else {
          outcome = fail(error);
        }
      }
      in_flight_ = false;
      waiters.swap(waiters_);
    }
    for (const auto& waiter : waiters) {
      waiter->outcome.emplace(outcome);
      waiter->ready.try_send(boost::system::error_code());
    }
  }

  /// Only one of these runs at a time, so grant_ and unkept_ need no lock.
  net::Async<Received> obtain() {
    if (!unkept_) {
      auto asked = co_await request();
      if (!asked && asked.error().code == "invalid_grant" && grant_->changed_since())
        asked = co_await request();
      if (!asked)
        co_return fail(std::move(asked).error().during("asking " + endpoint_.url.host + " for a token"));
      unkept_ = std::move(*asked);
    }
    // A rotated refresh token that is not durable yet may be the only one that still works: hold on to it,
    // and hand nothing out, until it is.
    if (auto kept = grant_->keep(unkept_->grant); !kept) co_return fail(std::move(kept).error());
    Received received = std::move(*unkept_);
    unkept_.reset();
    if (received.at + received.grant.lifetime <= environment_.clock.steady_now())
      co_return co_await obtain_again();
    co_return received;
  }

  net::Async<Received> obtain_again() {
    auto asked = co_await request();
    if (!asked)
      co_return fail(std::move(asked).error().during("asking " + endpoint_.url.host + " for a token"));
    if (auto kept = grant_->keep(asked->grant); !kept) {
      unkept_ = std::move(*asked);
      co_return fail(std::move(kept).error());
    }
    co_return std::move(*asked);
  }

  net::Async<Received> request() {
    std::string form;
    if (auto filled = grant_->fill(form); !filled) co_return fail(std::move(filled).error());
    append_form_field(form, "client_id", endpoint_.client_id);
    if (!endpoint_.scope.empty()) append_form_field(form, "scope", endpoint_.scope);
    if (const auto* secret = std::get_if<Secret>(&endpoint_.proof)) {
      append_form_field(form, "client_secret", secret->reveal());
    } else if (const auto* certificate = std::get_if<ClientCertificate>(&endpoint_.proof)) {
      const auto assertion = certificate->sign_assertion(endpoint_.client_id, endpoint_.url.to_string(),
                                                         environment_.clock, environment_.random);
      if (!assertion) co_return fail(assertion.error());
      append_form_field(form, "client_assertion_type",
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
      append_form_field(form, "client_assertion", *assertion);
    }
    net::HttpRequest message;
    message.method = "POST";
    message.url = endpoint_.url;
    message.headers.set("Content-Type", "application/x-www-form-urlencoded");
    message.headers.set("Accept", "application/json");
    message.body = std::make_shared<net::StringSource>(std::move(form));
    net::HttpOptions options;
    options.limits.total = std::chrono::milliseconds(60'000);
    options.limits.body_octets = max_response_octets;
    options.pool = "oauth";
    auto response = co_await environment_.http.send(std::move(message), std::move(options));
    if (!response) {
      Error error = std::move(response).error();
      // RFC 6749 section 5.2: 401 is how a token endpoint says invalid_client.
      if (error.http_status == 401) {
        error = Error{.domain = ErrorDomain::auth,
                      .code = "invalid_client",
                      .message = "The token endpoint does not accept the client's proof",
                      .retry = RetryClass::reauthenticate,
                      .http_status = 401};
      }
      co_return fail(std::move(error));
    }
    auto grant = read_token_response(*response);
    wipe(response->body);
    if (!grant) co_return fail(std::move(grant).error());
    log::debug({}, "new access token for client " + endpoint_.client_id + " from " + endpoint_.url.host);
    co_return Received{std::move(*grant), environment_.clock.steady_now()};
  }

  TokenEnvironment environment_;
  TokenEndpoint endpoint_;
  std::unique_ptr<Grant> grant_;
  std::string pool_key_;
  std::optional<Received> unkept_;

  std::mutex mutex_;  // guards what follows
  std::optional<Cached> cached_;
  std::optional<Error> standing_refusal_;
  std::optional<Pause> pause_;
  std::vector<std::shared_ptr<Waiter>> waiters_;
  std::uint64_t generation_ = 0;
  bool in_flight_ = false;
};

Result<void> check_endpoint(const TokenEndpoint& endpoint) {
  if (!endpoint.url.is_tls() && !is_loopback(endpoint.url.host)) {
    return fail(ErrorDomain::auth, "bad-settings", "A token endpoint must be an https address");
  }
  if (endpoint.client_id.empty()) return fail(ErrorDomain::auth, "bad-settings", "The client id is missing");
  return {};
}

}  // namespace

Result<TokenGrant> read_token_response(const net::HttpResponse& response) {
  boost::json::error_code failure;
  const boost::json::value parsed = boost::json::parse(response.body, failure);
  if (failure || !parsed.is_object()) {
    return fail(endpoint_error(response, "bad-token-response",
                               "The token endpoint answered with status " + std::to_string(response.status) +
                                   " and no JSON object"));
  }
  const boost::json::object& object = parsed.get_object();
  std::string code = string_member(object, "error");
  if (!code.empty() || response.status != 200) {
    std::string message = "The token endpoint refused";
    const std::string said = string_member(object, "error_description");
    // Descriptions go on for pages of correlation data; the first line has the AADSTS number and the reason.
    if (!said.empty())
      message += ": " + said.substr(0, std::min<std::size_t>(said.find_first_of("\r\n"), 400));
    if (code.empty()) code = "http-" + std::to_string(response.status);
    return fail(endpoint_error(response, std::move(code), std::move(message)));
  }
  TokenGrant grant;
  grant.access_token = Secret(string_member(object, "access_token"));
  grant.refresh_token = Secret(string_member(object, "refresh_token"));
  grant.lifetime = lifetime_member(object);
  if (!is_bearer_token(grant.access_token.reveal())) {
    return fail(
        endpoint_error(response, "bad-token-response", "The token endpoint gave no usable access token"));
  }
  if (!text::equals_ignore_case(string_member(object, "token_type"), "bearer")) {
    return fail(endpoint_error(response, "bad-token-response",
                               "The token endpoint gave a token that is no bearer token"));
  }
  return grant;
}

Result<std::shared_ptr<TokenSource>> make_client_credentials(TokenEnvironment environment,
                                                             TokenEndpoint endpoint) {
  if (auto checked = check_endpoint(endpoint); !checked) return fail(std::move(checked).error());
  if (std::holds_alternative<std::monostate>(endpoint.proof)) {
    return fail(ErrorDomain::auth, "bad-settings",
                "Client credentials need a client secret or a certificate");
  }
  return std::make_shared<CachedTokenSource>(std::move(environment), std::move(endpoint),
                                             std::make_unique<ClientCredentialsGrant>());
}

Result<std::shared_ptr<TokenSource>> make_refresh_grant(TokenEnvironment environment, TokenEndpoint endpoint,
                                                        SecretStore& store, std::string key) {
  if (auto checked = check_endpoint(endpoint); !checked) return fail(std::move(checked).error());
  return std::make_shared<CachedTokenSource>(std::move(environment), std::move(endpoint),
                                             std::make_unique<RefreshGrant>(store, std::move(key)));
}

}  // namespace syncline::auth
