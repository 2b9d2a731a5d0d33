// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/oauth.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>
#include <utility>
#include <vector>

#include "auth/fingerprint.hpp"
#include "auth/stored_grant.hpp"
#include "auth/token_request.hpp"
#include "base/log.hpp"

namespace syncline::auth {

namespace {

using std::chrono::seconds;

/// A token this young that is refused would be refused again: asking for another cannot help.
constexpr seconds fresh{60};

bool is_final_word(std::string_view code) noexcept {
  return code == "invalid_grant" || code == "unauthorized_client" || code == "invalid_client";
}

/// Grants differ in the form they send and in what they do with a new refresh token.
class Grant {
 public:
  virtual ~Grant() = default;
  /// Adds grant_type and what goes with it.
  virtual Result<void> fill(std::string& form) = 0;
  /// The endpoint gave `grant`: what must be durable is, when this succeeds.
  virtual Result<void> keep(const TokenGrant& grant) = 0;
  /// After a refusal: true if another process has put a new credential in place since fill().
  virtual bool changed_since() = 0;
  /// The endpoint said invalid_grant for good: what a person needs to know. Keeps the refusal where a later
  /// process finds it.
  virtual Error refused(Error error) { return error; }
  /// Whether client_id and the client's proof belong in the form.
  virtual bool names_client() const { return true; }
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
  RefreshGrant(SecretStore& store, std::string key, const Clock& clock, OAuthProvider provider)
      : store_(store), key_(std::move(key)), clock_(clock), provider_(provider) {}

  Result<void> fill(std::string& form) override {
    auto kept = read();
    if (!kept) return fail(std::move(kept).error().during("reading the refresh token"));
    if (kept->refresh_token.empty()) {
      return fail(ErrorDomain::auth, "no-refresh-token", "Nobody has signed in for this mailbox yet",
                  RetryClass::reauthenticate);
    }
    if (kept->refusal) {
      return fail(ErrorDomain::auth, kept->refusal->code, kept->refusal->message, RetryClass::reauthenticate);
    }
    used_ = std::move(*kept);
    append_form_field(form, "grant_type", "refresh_token");
    append_form_field(form, "refresh_token", used_.refresh_token.reveal());
    return {};
  }

  Result<void> keep(const TokenGrant& grant) override {
    const bool rotated =
        !grant.refresh_token.empty() && grant.refresh_token.reveal() != used_.refresh_token.reveal();
    const bool learned_end = grant.refresh_lifetime.count() > 0 && !used_.ends;
    if (!rotated && !learned_end) return {};
    StoredGrant next = used_;
    if (rotated) next.refresh_token = grant.refresh_token;
    if (grant.refresh_lifetime.count() > 0) next.ends = clock_.now() + grant.refresh_lifetime;
    if (auto kept = store_.put(key_, next.print()); !kept)
      return fail(std::move(kept).error().during("keeping the new refresh token"));
    used_ = std::move(next);
    return {};
  }

  bool changed_since() override {
    const auto kept = read();
    return kept && !kept->refresh_token.empty() && !kept->refusal &&
           kept->refresh_token.reveal() != used_.refresh_token.reveal();
  }

  Error refused(Error error) override {
    if (error.code != "invalid_grant") return error;
    if (ended_in_testing_mode()) {
      error.code = "testing-mode-expired";
      error.message =
          "Google ended the sign-in of this mailbox after seven days, as it does for apps whose publishing "
          "status is Testing. Publish the app or make it internal in the Google Cloud console, then sign in "
          "again (syncline auth login)";
    } else {
      error.message =
          "The sign-in of this mailbox has ended; sign in again (syncline auth login). " + error.message;
    }
    StoredGrant marked = used_;
    marked.refusal = StoredGrant::Refusal{.at = clock_.now(), .code = error.code, .message = error.message};
    if (auto kept = store_.put(key_, marked.print()); !kept)
      log::warning({}, "the end of a sign-in cannot be kept: " + kept.error().describe());
    return error;
  }
  std::string key() const override { return key_; }

 private:
  /// Without a token where nothing is kept.
  Result<StoredGrant> read() {
    auto kept = store_.get(key_);
    if (!kept) return fail(std::move(kept).error());
    if (!*kept) return StoredGrant{};
    return StoredGrant::parse(**kept);
  }

  /// Google says no more than "expired or revoked": the age tells. A daily synchronisation notices within a
  /// day.
  bool ended_in_testing_mode() const {
    using namespace std::chrono_literals;
    constexpr auto week = 7 * 24h;
    if (provider_ != OAuthProvider::google || !used_.obtained) return false;
    const auto age = clock_.now() - *used_.obtained;
    if (used_.ends) return *used_.ends - *used_.obtained <= week + 1h && clock_.now() >= *used_.ends - 1h;
    return age >= week - 1h && age < week + 24h;
  }

  SecretStore& store_;
  std::string key_;
  const Clock& clock_;
  OAuthProvider provider_;
  StoredGrant used_;
};

/// RFC 7523 section 2.1.
class ServiceAccountGrant final : public Grant {
 public:
  ServiceAccountGrant(ServiceAccount account, std::string scope, std::string subject, const Clock& clock)
      : account_(std::move(account)), scope_(std::move(scope)), subject_(std::move(subject)), clock_(clock) {}

  Result<void> fill(std::string& form) override {
    auto assertion = account_.sign_assertion(scope_, subject_, clock_);
    if (!assertion) return fail(std::move(assertion).error());
    append_form_field(form, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    append_form_field(form, "assertion", *assertion);
    return {};
  }
  Result<void> keep(const TokenGrant&) override { return {}; }
  bool changed_since() override { return false; }
  Error refused(Error error) override {
    // Google says unauthorized_client with status 401, where the HTTP client leaves no body to tell it from
    // invalid_client.
    if (error.code == "unauthorized_client" || error.code == "invalid_client") {
      error.message =
          "The service account may not act for users of this domain with this scope, or its key was "
          "withdrawn; "
          "delegate the scope in the Google Admin console (security, API controls, domain-wide "
          "delegation). " +
          error.message;
    } else {
      error.message = "The service account cannot act for " + subject_ +
                      ": there is no such user, or this machine's clock is wrong. " + error.message;
    }
    return error;
  }
  bool names_client() const override { return false; }
  std::string key() const override { return subject_; }

 private:
  ServiceAccount account_;
  std::string scope_;
  std::string subject_;
  const Clock& clock_;
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
      // Somebody may have signed in meanwhile, in another process; looking costs no request.
      if (standing_refusal_ && !in_flight_ && grant_->changed_since()) standing_refusal_.reset();
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

  /// Only one of these runs at a time, and nobody else touches grant_ while it does: grant_ and unkept_ need
  /// no lock.
  net::Async<Received> obtain() {
    if (!unkept_) {
      auto asked = co_await request();
      if (!asked && asked.error().code == "invalid_grant" && grant_->changed_since())
        asked = co_await request();
      if (!asked && asked.error().http_status && is_final_word(asked.error().code))
        asked = fail(grant_->refused(std::move(asked).error()));
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
    if (grant_->names_client()) {
      if (auto named = append_client(form, endpoint_, environment_); !named)
        co_return fail(std::move(named).error());
      if (!endpoint_.scope.empty()) append_form_field(form, "scope", endpoint_.scope);
    }
    auto grant = co_await request_token(environment_, endpoint_.url, std::move(form));
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
  if (auto checked = check_endpoint_url(endpoint.url, "token endpoint"); !checked) return checked;
  if (endpoint.client_id.empty()) return fail(ErrorDomain::auth, "bad-settings", "The client id is missing");
  return {};
}

}  // namespace

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
  auto grant = std::make_unique<RefreshGrant>(store, std::move(key), environment.clock, endpoint.provider);
  return std::make_shared<CachedTokenSource>(std::move(environment), std::move(endpoint), std::move(grant));
}

Result<std::shared_ptr<TokenSource>> make_service_account(TokenEnvironment environment,
                                                          ServiceAccount account, std::string scope,
                                                          std::string subject) {
  if (scope.empty() || subject.empty())
    return fail(ErrorDomain::auth, "bad-settings", "A service account needs a scope and a user to act for");
  TokenEndpoint endpoint;
  endpoint.url = account.token_url();
  endpoint.client_id = account.email();
  endpoint.scope = scope;
  endpoint.provider = OAuthProvider::google;
  if (auto checked = check_endpoint(endpoint); !checked) return fail(std::move(checked).error());
  auto grant = std::make_unique<ServiceAccountGrant>(std::move(account), std::move(scope), std::move(subject),
                                                     environment.clock);
  return std::make_shared<CachedTokenSource>(std::move(environment), std::move(endpoint), std::move(grant));
}

}  // namespace syncline::auth
