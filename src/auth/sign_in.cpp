// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/sign_in.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <optional>

#include "auth/token_request.hpp"
#include "base/base64.hpp"
#include "base/text.hpp"
#include "net/event.hpp"
#include "net/http_server.hpp"
#include "net/with_deadline.hpp"

namespace syncline::auth {

namespace {

constexpr std::size_t max_redirect_octets = 16 * 1024;
constexpr int most_strangers = 16;

std::string random_text(Random& random) {
  std::array<std::byte, 32> octets{};
  random.fill(octets);
  std::string text =
      base64url_encode(std::string_view(reinterpret_cast<const char*>(octets.data()), octets.size()));
  OPENSSL_cleanse(octets.data(), octets.size());
  return text;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

unexpected<Error> bad_redirect(std::string why) {
  return fail(ErrorDomain::auth, "bad-redirect", std::move(why));
}

struct RedirectFields {
  std::optional<std::string> code;
  std::optional<std::string> state;
  std::optional<std::string> error;
  std::optional<std::string> error_description;
};

std::string form_decoded(std::string_view value) {
  std::string spaced(value);
  for (char& c : spaced)
    if (c == '+') c = ' ';
  return text::percent_decoded(spaced);
}

Result<RedirectFields> parse_redirect(std::string_view address) {
  if (address.size() > max_redirect_octets) return bad_redirect("The address is too long");
  address = text::trim(address);
  address = address.substr(0, address.find('#'));
  if (const auto question = address.find('?'); question != std::string_view::npos)
    address.remove_prefix(question + 1);
  RedirectFields fields;
  for (const std::string_view pair : text::split(address, '&')) {
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = pair.substr(0, equals);
    std::optional<std::string>* field = name == "code"                ? &fields.code
                                        : name == "state"             ? &fields.state
                                        : name == "error"             ? &fields.error
                                        : name == "error_description" ? &fields.error_description
                                                                      : nullptr;
    if (field == nullptr) continue;
    if (*field) return bad_redirect("The address says " + std::string(name) + " twice");
    *field = form_decoded(pair.substr(equals + 1));
  }
  if (!fields.state || (!fields.code && !fields.error))
    return bad_redirect("This is not the address that the browser was sent to at the end of the sign-in");
  return fields;
}

/// What the server's handlers work with; they may outlive the listener by a moment.
class Redirects : public std::enable_shared_from_this<Redirects> {
 public:
  explicit Redirects(net::asio::any_io_executor executor) : changed_(std::move(executor)) {}

  void begin(std::uint16_t port, std::string state) {
    port_ = ":" + std::to_string(port);
    state_ = std::move(state);
  }
  void end() { state_.clear(); }

  net::Async<Secret> outcome() {
    const auto self = shared_from_this();
    while (!outcome_) {
      auto woken = co_await changed_.wait();
      if (!woken) co_return fail(std::move(woken).error());
    }
    co_return std::move(*outcome_);
  }

  net::asio::awaitable<void> handle(const net::ServerRequest& request, net::Responder& responder) {
    const auto self = shared_from_this();
    std::optional<Result<Secret>> found;
    int status = 404;
    std::string said = "Nothing is here.";
    const bool is_redirect = request.method == "GET" && !state_.empty() && is_own_host(request) &&
                             request.target.starts_with("/?");
    if (is_redirect) {
      auto code = read_redirect(request.target, state_);
      const bool ours =
          code || (code.error().code != "state-mismatch" && code.error().code != "bad-redirect");
      if (ours) {
        status = 200;
        said = code ? "You are signed in. This window may be closed."
                    : "The sign-in did not succeed. Syncline says why. This window may be closed.";
        state_.clear();  // one answer only: whoever repeats the address learns nothing
        found.emplace(std::move(code));
      } else {
        status = 400;
        said = "This address does not belong to the sign-in that is under way.";
        if (++strangers_ >= most_strangers) {
          state_.clear();
          found.emplace(fail(ErrorDomain::auth, "too-many-requests",
                             "Something else keeps calling the address that the browser comes back to"));
        }
      }
    }
    net::Headers headers;
    headers.set("Content-Type", "text/html; charset=utf-8");
    headers.set("Cache-Control", "no-store");
    headers.set("Referrer-Policy", "no-referrer");
    headers.set("Content-Security-Policy", "default-src 'none'");
    std::string page = "<!DOCTYPE html><title>Syncline</title><p>" + said + "</p>\n";
    auto answered = co_await responder.respond(status, std::move(headers), std::move(page), false);
    (void)answered;  // a browser that is gone has brought its code all the same
    if (found && !outcome_) {
      outcome_ = std::move(found);
      changed_.notify_all();
    }
  }

 private:
  /// A page elsewhere whose name was made to lead here (DNS rebinding) sends its own name.
  bool is_own_host(const net::ServerRequest& request) const {
    const auto host = request.headers.find("Host");
    return host && (*host == "127.0.0.1" + port_ || *host == "localhost" + port_);
  }

  net::Event changed_;
  std::string port_;
  std::string state_;
  std::optional<Result<Secret>> outcome_;
  int strangers_ = 0;
};

class HttpRedirectListener final : public RedirectListener {
 public:
  explicit HttpRedirectListener(net::Environment& environment)
      : environment_(environment), redirects_(std::make_shared<Redirects>(environment.executor)) {}

  Result<void> listen() {
    net::ListenOptions options;
    // Never all interfaces: the code is worth a token to whoever else on the network could ask for it.
    options.address = "127.0.0.1";
    options.limits.header_octets = max_redirect_octets;
    options.limits.body_octets = 4096;
    options.limits.header_time = std::chrono::seconds(10);
    options.limits.body_idle = std::chrono::seconds(10);
    options.limits.keep_alive = std::chrono::seconds(10);
    options.limits.connections = 16;
    auto server = net::listen_http(
        environment_, std::move(options),
        [redirects = redirects_](const net::ServerRequest& request, net::Responder& responder) {
          return redirects->handle(request, responder);
        });
    if (!server) return fail(std::move(server).error());
    server_ = std::move(*server);
    return {};
  }

  std::uint16_t port() const noexcept override { return server_->port(); }

  net::Async<Secret> wait(std::string state, std::chrono::milliseconds patience) override {
    redirects_->begin(server_->port(), std::move(state));
    const SteadyTime deadline = environment_.clock.steady_now() + patience;
    Error late{.domain = ErrorDomain::auth,
               .code = "sign-in-timeout",
               .message = "Nobody finished the sign-in in the browser within " +
                          std::to_string(std::chrono::duration_cast<std::chrono::seconds>(patience).count()) +
                          " s"};
    auto code =
        co_await net::with_deadline(environment_.timers, deadline, redirects_->outcome(), std::move(late));
    redirects_->end();
    server_->stop();
    co_return code;
  }

 private:
  net::Environment& environment_;
  std::shared_ptr<Redirects> redirects_;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace

Pkce make_pkce(Random& random) {
  Pkce made;
  made.verifier = Secret(random_text(random));
  made.state = random_text(random);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const std::string_view verifier = made.verifier.reveal();
  // SHA-256 of a few octets cannot fail but for memory.
  EVP_Digest(verifier.data(), verifier.size(), digest, &size, EVP_sha256(), nullptr);
  made.challenge = base64url_encode(std::string_view(reinterpret_cast<const char*>(digest), size));
  return made;
}

std::string authorisation_url(const AuthorisationRequest& request, const Pkce& pkce) {
  std::string query;
  append_form_field(query, "response_type", "code");
  append_form_field(query, "client_id", request.client_id);
  append_form_field(query, "redirect_uri", request.redirect_uri);
  append_form_field(query, "scope", request.scope);
  append_form_field(query, "state", pkce.state);
  append_form_field(query, "code_challenge", pkce.challenge);
  append_form_field(query, "code_challenge_method", "S256");
  if (!request.login_hint.empty()) append_form_field(query, "login_hint", request.login_hint);
  for (const auto& [name, value] : request.extra) append_form_field(query, name, value);
  const std::string base = request.endpoint.to_string();
  return base + (base.find('?') == std::string::npos ? "?" : "&") + query;
}

Result<Secret> read_redirect(std::string_view address, std::string_view state) {
  auto fields = parse_redirect(address);
  if (!fields) return fail(std::move(fields).error());
  if (!equal_in_constant_time(*fields->state, state)) {
    return fail(ErrorDomain::auth, "state-mismatch",
                "This address belongs to another sign-in; begin anew and use the latest one");
  }
  if (fields->error) {
    constexpr std::size_t enough = 300;
    const std::string code = text::escape_for_display(std::string_view(*fields->error).substr(0, 60));
    std::string message = "The server did not let the user in: " + code;
    if (fields->error_description)
      message +=
          ": " + text::escape_for_display(std::string_view(*fields->error_description).substr(0, enough));
    return fail(ErrorDomain::auth, code, std::move(message), RetryClass::reauthenticate);
  }
  if (fields->code->empty()) return bad_redirect("The address holds an empty code");
  return Secret(std::move(*fields->code));
}

Result<std::unique_ptr<RedirectListener>> listen_for_redirect(net::Environment& environment) {
  auto made = std::make_unique<HttpRedirectListener>(environment);
  if (auto listening = made->listen(); !listening) return fail(std::move(listening).error());
  return made;
}

net::Async<TokenGrant> redeem_code(TokenEnvironment environment, TokenEndpoint endpoint, Secret code,
                                   std::string redirect_uri, Secret verifier) {
  if (auto checked = check_endpoint_url(endpoint.url, "token endpoint"); !checked)
    co_return fail(std::move(checked).error());
  std::string form;
  append_form_field(form, "grant_type", "authorization_code");
  append_form_field(form, "code", code.reveal());
  append_form_field(form, "redirect_uri", redirect_uri);
  append_form_field(form, "code_verifier", verifier.reveal());
  if (auto named = append_client(form, endpoint, environment); !named)
    co_return fail(std::move(named).error());
  auto grant = co_await request_token(environment, endpoint.url, std::move(form));
  if (!grant) co_return fail(std::move(grant).error().during("redeeming the sign-in's code"));
  if (grant->refresh_token.empty()) {
    co_return fail(ErrorDomain::auth, "no-refresh-token",
                   "The server gave no refresh token: the application must ask for offline access");
  }
  co_return std::move(*grant);
}

net::Async<void> revoke_token(TokenEnvironment environment, TokenEndpoint endpoint, net::Url revocation,
                              Secret refresh_token) {
  if (auto checked = check_endpoint_url(revocation, "revocation endpoint"); !checked)
    co_return fail(std::move(checked).error());
  std::string form;
  append_form_field(form, "token", refresh_token.reveal());
  append_form_field(form, "token_type_hint", "refresh_token");
  if (auto named = append_client(form, endpoint, environment); !named)
    co_return fail(std::move(named).error());
  auto response = co_await post_form(environment, std::move(revocation), std::move(form));
  if (!response) co_return fail(std::move(response).error());
  // RFC 7009 section 2.2: 200 for an unknown token, too. Google says 400 invalid_token.
  const bool unknown = response->status == 400 && response->body.find("invalid_token") != std::string::npos;
  if (response->status == 200 || unknown) co_return Result<void>{};
  co_return fail(
      endpoint_error(*response, "revocation-refused",
                     "The server did not revoke the token (HTTP " + std::to_string(response->status) + ")"));
}

}  // namespace syncline::auth
