// SPDX-License-Identifier: GPL-3.0-or-later
// Tokens of the API itself.
#include "service/organisation/api_tokens.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "admin/api/call.hpp"
#include "time/civil.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;

Result<Answer> list(Call& call) {
  auto after = call.numbered_position();
  if (!after) return fail(std::move(after.error()));
  const int most = call.limit();
  auto tokens = call.store().read<std::vector<store::ApiToken>>(
      [&](store::Transaction& transaction) { return store::list_api_tokens(transaction, *after, most); });
  if (!tokens) return fail(std::move(tokens.error()));
  json::array items;
  for (const store::ApiToken& token : *tokens) items.push_back(service::to_json(token, call.now()));
  const bool full = tokens->size() == static_cast<std::size_t>(most);
  return page_answer(std::move(items),
                     full ? std::optional(call.cursor(std::to_string(tokens->back().id))) : std::nullopt);
}

Result<Answer> show(Call& call) {
  auto id = call.id();
  if (!id) return fail(std::move(id.error()));
  auto token = call.store().read<std::optional<store::ApiToken>>(
      [&](store::Transaction& transaction) { return store::find_api_token(transaction, *id); });
  if (!token) return fail(std::move(token.error()));
  if (!*token) return fail(ErrorDomain::input, "no-token", fmt::format("There is no token {}", *id));
  return json_answer(service::to_json(**token, call.now()));
}

Result<service::NewApiToken> wanted(const json::object& body, SystemTime now) {
  const auto bad = [](std::string why) { return fail(ErrorDomain::input, "bad-value", std::move(why)); };
  service::NewApiToken token;
  const auto text_of = [&](std::string_view name) -> const json::string* {
    const json::value* value = body.if_contains(name);
    return value != nullptr ? value->if_string() : nullptr;
  };
  const json::string* const name = text_of("name");
  const json::string* const role = text_of("role");
  if (name == nullptr) return bad("name must be a text");
  token.name = std::string(*name);
  const auto known = role != nullptr ? service::parse_api_role(*role) : std::nullopt;
  if (!known)
    return bad("role must be system-administrator, approver, mailbox-owner, read-only or application");
  token.role = *known;
  if (const json::value* owner = body.if_contains("owner"); owner != nullptr && !owner->is_null()) {
    if (!owner->is_string()) return bad("owner must be an address");
    token.owner = std::string(owner->get_string());
  }
  // Without a word about it a token is good for a year; null: until it is revoked.
  token.expires_at = now + std::chrono::days(365);
  if (const json::value* until = body.if_contains("expiresAt"); until != nullptr) {
    token.expires_at = std::nullopt;
    if (!until->is_null()) {
      const auto time = until->is_string() ? time::parse_civil(until->get_string()) : std::nullopt;
      if (!time || time->is_date || !time->offset)
        return bad("expiresAt must be an instant, \"2027-11-22T10:00:00Z\"");
      token.expires_at = SystemTime(time->time.time_since_epoch() - *time->offset);
    }
  }
  return token;
}

Result<Answer> create(Call& call) {
  auto body = call.object({"name", "role", "owner", "expiresAt"});
  if (!body) return fail(std::move(body.error()));
  const SystemTime now = call.now();
  auto token = wanted(*body, now);
  if (!token) return fail(std::move(token.error()));
  return call.store().write<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
    auto made =
        service::create_api_token(transaction, call.organisation().random(), *token, now, call.actor());
    if (!made) return fail(std::move(made.error()));
    json::object object = service::to_json(made->token, now);
    object["token"] = nullptr;
    std::string kept = json::serialize(object) + "\n";
    object["token"] = made->secret.reveal();
    Answer answer = json_answer(object, 201);
    answer.header.emplace_back("Location", fmt::format("/api/v1/tokens/{}", made->token.id));
    answer.kept_body = std::move(kept);
    if (auto remembered = call.remember(transaction, answer); !remembered)
      return fail(std::move(remembered.error()));
    return answer;
  });
}

Result<Answer> revoke(Call& call) {
  auto id = call.id();
  if (!id) return fail(std::move(id.error()));
  const SystemTime now = call.now();
  auto revoked = call.store().write<store::ApiToken>([&](store::Transaction& transaction) {
    return service::revoke_api_token(transaction, *id, call.actor());
  });
  if (!revoked) return fail(std::move(revoked.error()));
  return json_answer(service::to_json(*revoked, now));
}

}  // namespace

void add_token_routes(std::vector<Route>& routes) {
  routes.push_back({.path = "/tokens",
                    .operation = "listTokens",
                    .query = {page_limit(), page_cursor()},
                    .handler = list});
  routes.push_back({.method = Method::post,
                    .path = "/tokens",
                    .operation = "createToken",
                    .body = {json_body},
                    .answers = {201},
                    .carries_credentials = true,
                    .handler = create});
  routes.push_back({.path = "/tokens/{id}", .operation = "getToken", .handler = show});
  routes.push_back(
      {.method = Method::remove, .path = "/tokens/{id}", .operation = "revokeToken", .handler = revoke});
}

}  // namespace syncline::admin::api
