// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/api/api_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "admin/api/problem.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "service/organisation/api_tokens.hpp"
#include "store/api_answers.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;

constexpr std::uint64_t stranger_body_octets = 64 * 1024;
constexpr std::chrono::hours use_noted_every{1};

unexpected<Error> refused(const char* code, std::string why) {
  return fail(ErrorDomain::input, code, std::move(why));
}

std::string_view path_of(const net::ServerRequest& request) {
  return std::string_view(request.target).substr(0, request.target.find('?'));
}

/// "192.0.2.1:40312", "[2001:db8::1]:40312" without the port.
std::string_view address_of(std::string_view peer) {
  return peer.substr(0, peer.rfind(':'));
}

/// RFC 6750 section 2.1. Empty: none is given, or of another scheme.
std::string_view bearer_of(const net::ServerRequest& request) {
  const auto fields = request.headers.find_all("Authorization");
  if (fields.size() != 1) return {};
  const std::string_view field = fields.front();
  constexpr std::string_view scheme = "Bearer ";
  if (field.size() <= scheme.size() || !text::equals_ignore_case(field.substr(0, scheme.size()), scheme))
    return {};
  return text::trim(field.substr(scheme.size()));
}

/// A request that was answered before under the same key.
Result<std::optional<Answer>> answered_before(Call& call) {
  using Found = std::optional<store::ApiAnswer>;
  auto found = call.store().read<Found>([&](store::Transaction& transaction) {
    return store::find_api_answer(transaction, call.token().id, *call.idempotency_key());
  });
  if (!found) return fail(std::move(found.error()));
  if (!*found) return std::optional<Answer>();
  if ((*found)->request != call.request_hash())
    return refused("idempotency-key-reused", "This Idempotency-Key was used for another request");
  Answer answer{.status = (*found)->status, .body = std::move((*found)->body)};
  json::error_code error;
  const json::value header = json::parse((*found)->header, error);
  if (!error && header.is_object()) {
    for (const auto& [name, value] : header.get_object()) {
      if (!value.is_string()) continue;
      if (name == "Content-Type")
        answer.content_type = value.get_string();
      else
        answer.header.emplace_back(name, value.get_string());
    }
  }
  answer.header.emplace_back("Idempotency-Replayed", "true");
  return answer;
}

Result<Answer> answer_to(Call& call) {
  if (call.idempotency_key()) {
    auto before = answered_before(call);
    if (!before) return fail(std::move(before.error()));
    if (*before) return std::move(**before);
  }
  auto answer = call.route().handler(call);
  // What was refused was not done: it may be asked again.
  if (!answer || answer->status >= 300 || !call.idempotency_key() || call.is_remembered() ||
      call.route().changes_nothing)
    return answer;
  auto kept = call.store().write<void>(
      [&](store::Transaction& transaction) { return call.remember(transaction, *answer); });
  if (!kept) return fail(std::move(kept.error()));
  return answer;
}

void note_use(service::Organisation& organisation, const store::ApiToken& token) {
  const SystemTime now = organisation.clock().now();
  if (token.last_used_at && now - *token.last_used_at < use_noted_every) return;
  auto noted = organisation.store().write<void>(
      [&](store::Transaction& transaction) { return store::note_api_token_use(transaction, token.id); },
      store::Durability::with_the_next);
  if (!noted) log::warning("api", noted.error().describe());
}

}  // namespace

ApiServer::ApiServer(net::Environment& environment, service::Organisation& organisation, Control control,
                     ApiSettings settings)
    : environment_(environment),
      organisation_(organisation),
      control_(std::move(control)),
      settings_(std::move(settings)),
      rate_(settings_.rate),
      failures_(settings_.failures),
      pool_(settings_.threads),
      live_{environment_, pool_, organisation_, control_} {
  for (const Route& route : routes()) entries_.push_back({&route, text::split(route.path.substr(1), '/')});
}

ApiServer::Matched ApiServer::match(std::string_view method, std::string_view path) const {
  Matched matched;
  if (!path.starts_with(base_path) || path.size() <= base_path.size() + 1 || path[base_path.size()] != '/')
    return matched;
  const auto segments = text::split(path.substr(base_path.size() + 1), '/');
  for (const Entry& entry : entries_) {
    if (entry.segments.size() != segments.size()) continue;
    std::vector<std::string> values;
    bool same = true;
    for (std::size_t i = 0; same && i < segments.size(); ++i) {
      if (entry.segments[i].starts_with('{')) {
        values.push_back(text::percent_decoded(segments[i]));
        same = !values.back().empty();
      } else {
        same = entry.segments[i] == segments[i];
      }
    }
    if (!same) continue;
    const std::string_view own = to_string(entry.route->method);
    matched.allowed += (matched.allowed.empty() ? "" : ", ") + std::string(own);
    if (own == "GET") matched.allowed += ", HEAD";
    if (own == method || (own == "GET" && method == "HEAD")) {
      matched.route = entry.route;
      matched.values = std::move(values);
    }
  }
  return matched;
}

Result<ApiServer::TokenPtr> ApiServer::authenticate(const net::ServerRequest& request) {
  const SteadyTime now = environment_.clock.steady_now();
  const std::string_view bearer = bearer_of(request);
  std::optional<store::ApiToken> token;
  if (!bearer.empty()) {
    auto found = organisation_.store().read<std::optional<store::ApiToken>>(
        [&](store::Transaction& transaction) { return service::find_api_token(transaction, bearer); });
    if (!found) return fail(std::move(found.error()));
    token = std::move(*found);
  }
  if (token && token->is_valid(organisation_.clock().now()))
    return std::make_shared<const store::ApiToken>(std::move(*token));
  if (const auto wait = failures_.take(address_of(request.peer), now)) {
    Error error{.domain = ErrorDomain::input,
                .code = "too-many-requests",
                .message = "Too many requests without a good token came from this address"};
    error.retry_after = *wait;
    return fail(std::move(error));
  }
  if (bearer.empty())
    return refused("unauthenticated",
                   "A token is needed: Authorization: Bearer …; `syncline token create` makes one");
  if (!token) return refused("unauthenticated", "This token is not known");
  return refused("unauthenticated", token->revoked_at ? "This token was revoked" : "This token has expired");
}

Result<void> ApiServer::check_channel(const Route& route, const net::ServerRequest& request) {
  if (!route.carries_credentials || request.tls) return {};
  // The property stands among the organisation's settings; the rest of the configuration is not needed.
  auto setting = organisation_.store().read<std::optional<std::string>>(
      [](store::Transaction& transaction) { return store::find_setting(transaction, "organisation"); });
  if (!setting) return fail(std::move(setting.error()));
  service::OrganisationSettings settings;
  if (*setting) {
    json::error_code error;
    const json::value value = json::parse(**setting, error);
    if (!error && value.is_object())
      static_cast<void>(service::from_object(service::organisation_settings(), value.get_object(), settings));
  }
  const auto allowed = settings.environment.find("env_allow_insecure_creds");
  if (allowed != settings.environment.end() && allowed->second == "1") return {};
  return refused("insecure-channel",
                 "Credentials are not taken or given over plain HTTP: use HTTPS, or set "
                 "AllowCredentialsEntryViaNonSecureChannels (organisation.allow_insecure_creds) to 1");
}

Result<std::shared_ptr<Call>> ApiServer::admit(const net::ServerRequest& request, Matched matched) {
  if (matched.allowed.empty())
    return refused("not-found",
                   fmt::format("There is nothing here; {}/openapi.json says what there is", base_path));
  if (matched.route == nullptr)
    return refused("method-not-allowed", fmt::format("Here there is {}", matched.allowed));
  const Route& route = *matched.route;
  TokenPtr token;
  if (route.roles != everybody) {
    auto known = authenticate(request);
    if (!known) return fail(std::move(known.error()));
    token = std::move(*known);
    if (const auto wait = rate_.take(std::to_string(token->id), environment_.clock.steady_now())) {
      Error error{.domain = ErrorDomain::input,
                  .code = "too-many-requests",
                  .message = fmt::format("This token may ask {} times a second", settings_.rate.per_second)};
      error.retry_after = *wait;
      return fail(std::move(error));
    }
    if ((route.roles & only(token->role)) == 0)
      return refused("forbidden",
                     fmt::format("This is not for a token of role {}", service::to_string(token->role)));
  }
  if (auto secure = check_channel(route, request); !secure) return fail(std::move(secure.error()));
  auto call = std::make_shared<Call>(organisation_, route, std::move(token), request);
  if (auto read = call->read(std::move(matched.values)); !read) return fail(std::move(read.error()));
  return call;
}

net::asio::awaitable<void> ApiServer::handle(const net::ServerRequest& request, net::Responder& responder) {
  const SteadyTime came = environment_.clock.steady_now();
  Matched matched = match(request.method, path_of(request));
  const std::string allowed = matched.allowed;
  const bool wrong_method = matched.route == nullptr && !allowed.empty();
  auto call = admit(request, std::move(matched));
  if (!call && wrong_method) {
    net::Headers headers;
    headers.set("Allow", allowed);
    headers.set("Content-Type", std::string(problem_type));
    std::string body = problem_json(405, call.error().code, call.error().message);
    static_cast<void>(co_await responder.respond(405, std::move(headers), std::move(body)));
    co_return;
  }
  if (!call) {
    Result<Answer> refusal = fail(std::move(call.error()));
    co_await live_.send(std::move(refusal), responder);
    co_return;
  }
  if ((*call)->route().conversation) {
    co_await converse(std::move(*call), responder);
    co_return;
  }
  service::Organisation* const organisation = &organisation_;
  auto work = [call = std::move(*call), organisation]() -> Result<Answer> {
    if (call->route().roles != everybody) note_use(*organisation, call->token());
    return answer_to(*call);
  };
  auto answer = co_await pool_.run(std::move(work));
  if (settings_.answered)
    settings_.answered(request.method == "GET" || request.method == "HEAD",
                       environment_.clock.steady_now() - came);
  co_await live_.send(std::move(answer), responder);
}

net::asio::awaitable<void> ApiServer::converse(std::shared_ptr<Call> call, net::Responder& responder) {
  struct Place {
    Place(std::shared_ptr<Waiting> waiting, store::ApiTokenId token)
        : waiting(std::move(waiting)), token(token) {
      ++this->waiting->by_token[token];
      ++this->waiting->all;
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (--waiting->by_token[token] == 0) waiting->by_token.erase(token);
      --waiting->all;
    }
    std::shared_ptr<Waiting> waiting;
    store::ApiTokenId token;
  };
  const store::ApiTokenId token = call->token().id;
  const auto found = waiting_->by_token.find(token);
  if (waiting_->all >= settings_.waiting ||
      (found != waiting_->by_token.end() && found->second >= settings_.waiting_per_token)) {
    Error error{.domain = ErrorDomain::input,
                .code = "too-many-requests",
                .message = "Too many long requests of this token are under way"};
    error.retry_after = std::chrono::seconds(5);
    Result<Answer> refusal = fail(std::move(error));
    co_await live_.send(std::move(refusal), responder);
    co_return;
  }
  const Place place(waiting_, token);
  service::Organisation* const organisation = &organisation_;
  auto note = [call, organisation]() -> Result<void> {
    note_use(*organisation, call->token());
    return {};
  };
  static_cast<void>(co_await pool_.run(std::move(note)));
  const Conversation& conversation = call->route().conversation;
  co_await conversation(live_, call, responder);
}

std::uint64_t ApiServer::body_octets(const net::ServerRequest& head) {
  const Matched matched = match(head.method, path_of(head));
  const std::uint64_t own = matched.route == nullptr ? 0 : matched.route->body_octets;
  if (own <= stranger_body_octets) return stranger_body_octets;
  const std::string_view bearer = bearer_of(head);
  if (bearer.empty()) return stranger_body_octets;
  auto found = organisation_.store().read<std::optional<store::ApiToken>>(
      [&](store::Transaction& transaction) { return service::find_api_token(transaction, bearer); });
  const bool is_known = found && *found && (*found)->is_valid(organisation_.clock().now());
  return is_known ? own : stranger_body_octets;
}

}  // namespace syncline::admin::api
