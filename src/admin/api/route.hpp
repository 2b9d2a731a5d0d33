// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The table of routes: the one place that says which requests there are, who may make them, and what they
// take. Dispatch, the check of roles, 404 and 405, limits and the test of docs/openapi.json go by it.
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "net/http_server.hpp"
#include "store/api_tokens.hpp"

namespace syncline::admin::api {

class Call;
struct Answer;
struct Live;

enum class Method : std::uint8_t { get, post, put, patch, remove };
/// "GET", …, "DELETE".
std::string_view to_string(Method method) noexcept;

/// A set of roles; the empty set: everybody, without a token.
using Roles = std::uint32_t;
constexpr Roles only(store::ApiRole role) noexcept {
  return 1U << static_cast<unsigned>(role);
}
inline constexpr Roles everybody = 0;
inline constexpr Roles administrators = only(store::ApiRole::system_administrator);
inline constexpr Roles approvers = administrators | only(store::ApiRole::approver);
inline constexpr Roles owners = administrators | only(store::ApiRole::mailbox_owner);
inline constexpr Roles readers = approvers | only(store::ApiRole::read_only);
inline constexpr Roles applications = administrators | only(store::ApiRole::application);
inline constexpr Roles all_roles =
    readers | only(store::ApiRole::mailbox_owner) | only(store::ApiRole::application);

/// A parameter of the query; one that is not in the table is refused.
struct Parameter {
  enum class Type : std::uint8_t { text, number, flag, word };
  std::string_view name;
  Type type = Type::text;
  std::int64_t least = 0;  ///< of a number
  std::int64_t most = 0;
  std::vector<std::string_view> words = {};
};

/// Runs away from the server's thread, one call at a time. An error becomes a problem (problem.hpp).
using Handler = std::function<Result<Answer>(Call&)>;
/// Runs on the server's thread and answers by itself: what waits for changes.
using Conversation = std::function<net::asio::awaitable<void>(Live&, std::shared_ptr<Call>, net::Responder&)>;

struct Route {
  Method method = Method::get;
  std::string_view path;       ///< below /api/v1: "/records/{id}"
  std::string_view operation;  ///< operationId of the OpenAPI document
  Roles roles = administrators;
  std::vector<Parameter> query = {};
  std::vector<std::string_view> body = {};  ///< media types that it takes; none: no body
  std::uint64_t body_octets = 64 * 1024;
  bool body_may_be_empty = false;
  std::vector<int> answers = {200};
  std::vector<int> refusals = {};  ///< besides those that follow from the rest of the row
  bool needs_match = false;        ///< If-Match must be given
  bool changes_nothing = false;  ///< a POST that may be made again: no answer is kept for its Idempotency-Key
  /// A credential goes in or comes out: over plain HTTP only where the organisation's policy
  /// AllowCredentialsEntryViaNonSecureChannels is 1.
  bool carries_credentials = false;
  Handler handler = nullptr;
  Conversation conversation = nullptr;
};

/// Every status that the route may answer with, but for those that mean trouble of the server (5xx).
std::vector<int> statuses_of(const Route& route);
/// Names in braces.
std::vector<std::string_view> path_parameters(std::string_view path);

/// All of them, made once.
const std::vector<Route>& routes();

// Each resource adds its own.
void add_organisation_routes(std::vector<Route>& routes);
void add_profile_routes(std::vector<Route>& routes);
void add_mailbox_routes(std::vector<Route>& routes);
void add_secret_routes(std::vector<Route>& routes);
void add_check_routes(std::vector<Route>& routes);
void add_alert_routes(std::vector<Route>& routes);
void add_journal_routes(std::vector<Route>& routes);
void add_status_routes(std::vector<Route>& routes);
void add_record_routes(std::vector<Route>& routes);
void add_change_routes(std::vector<Route>& routes);
void add_role_routes(std::vector<Route>& routes);
void add_token_routes(std::vector<Route>& routes);
void add_webhook_routes(std::vector<Route>& routes);
void add_document_routes(std::vector<Route>& routes);

// What several routes share.
inline constexpr std::string_view json_body = "application/json";
inline constexpr std::string_view merge_patch_body = "application/merge-patch+json";
Parameter page_limit();
Parameter page_cursor();
Parameter text_parameter(std::string_view name);
Parameter flag_parameter(std::string_view name);
Parameter word_parameter(std::string_view name, std::vector<std::string_view> words);
Parameter language_parameter();
Parameter kind_parameter();

}  // namespace syncline::admin::api
