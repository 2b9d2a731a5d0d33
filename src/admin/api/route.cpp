// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/api/route.hpp"

#include <algorithm>

#include "admin/api/call.hpp"
#include "admin/api/contents.hpp"

namespace syncline::admin::api {

std::string_view to_string(Method method) noexcept {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::remove:
      return "DELETE";
  }
  return {};
}

std::vector<std::string_view> path_parameters(std::string_view path) {
  std::vector<std::string_view> names;
  for (std::size_t open = path.find('{'); open != std::string_view::npos; open = path.find('{', open + 1))
    names.push_back(path.substr(open + 1, path.find('}', open) - open - 1));
  return names;
}

std::vector<int> statuses_of(const Route& route) {
  std::vector<int> statuses = route.answers;
  statuses.insert(statuses.end(), route.refusals.begin(), route.refusals.end());
  statuses.push_back(400);
  if (route.roles != everybody) statuses.insert(statuses.end(), {401, 403, 429});
  if (!path_parameters(route.path).empty()) statuses.push_back(404);
  if (route.needs_match) statuses.insert(statuses.end(), {412, 428});
  // A request without a body may still bring one.
  statuses.push_back(413);
  if (!route.body.empty()) statuses.push_back(415);
  if (route.method == Method::post) statuses.push_back(422);
  std::sort(statuses.begin(), statuses.end());
  statuses.erase(std::unique(statuses.begin(), statuses.end()), statuses.end());
  return statuses;
}

const std::vector<Route>& routes() {
  static const std::vector<Route> table = [] {
    std::vector<Route> made;
    add_document_routes(made);
    add_organisation_routes(made);
    add_profile_routes(made);
    add_mailbox_routes(made);
    add_secret_routes(made);
    add_check_routes(made);
    add_alert_routes(made);
    add_journal_routes(made);
    add_status_routes(made);
    add_record_routes(made);
    add_content_routes(made);
    add_change_routes(made);
    add_role_routes(made);
    add_token_routes(made);
    add_webhook_routes(made);
    return made;
  }();
  return table;
}

Parameter page_limit() {
  return {.name = "limit", .type = Parameter::Type::number, .least = 1, .most = 1000};
}
Parameter page_cursor() {
  return text_parameter("cursor");
}
Parameter text_parameter(std::string_view name) {
  return {.name = name};
}
Parameter flag_parameter(std::string_view name) {
  return {.name = name, .type = Parameter::Type::flag};
}
Parameter word_parameter(std::string_view name, std::vector<std::string_view> words) {
  return {.name = name, .type = Parameter::Type::word, .words = std::move(words)};
}
Parameter language_parameter() {
  return word_parameter("lang", {"en", "it", "ja", "pt"});
}
Parameter kind_parameter() {
  return word_parameter("kind", {"email", "appointment", "contact", "task"});
}

}  // namespace syncline::admin::api
