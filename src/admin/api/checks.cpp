// SPDX-License-Identifier: GPL-3.0-or-later
// The rules, and judging assignments by them: as `syncline check`, `route` and `rules` do.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <sstream>

#include "admin/api/call.hpp"
#include "base/text.hpp"
#include "routing/rules/intake/open.hpp"
#include "service/views/check_json.hpp"
#include "service/views/json_values.hpp"
#include "service/views/rule_json.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;

constexpr std::string_view lines_type = "application/x-ndjson";

rules::InputFormat format_of(const Call& call) {
  const std::string_view type = call.request().headers.find("Content-Type").value_or("");
  if (type.starts_with("text/csv")) return rules::InputFormat::csv;
  if (type.starts_with("application/toml")) return rules::InputFormat::toml;
  if (type.starts_with(lines_type)) return rules::InputFormat::jsonl;
  const std::size_t first = call.body().find_first_not_of(" \t\r\n");
  const bool is_array = first != std::string::npos && call.body()[first] == '[';
  return is_array ? rules::InputFormat::json : rules::InputFormat::jsonl;
}

Handler judge(bool routes_only) {
  return [routes_only](Call& call) -> Result<Answer> {
    service::CheckWishes wishes{.language = call.language(), .routes_only = routes_only};
    if (const auto day = call.text("asOf")) {
      wishes.as_of = rules::parse_day(*day);
      if (!wishes.as_of) return fail(ErrorDomain::input, "bad-parameter", "asOf must be a date YYYY-MM-DD");
    }
    if (const auto stage = call.text("stage"))
      wishes.stage = *stage == "enable" ? rules::Word::enable : rules::Word::assign;
    std::istringstream input(call.body());
    const auto reader = rules::open_rows(input, format_of(call));
    auto lines = service::check_lines(*reader, wishes, call.organisation().today());
    if (!lines) return fail(std::move(lines.error()));
    Answer answer;
    answer.body = std::move(*lines);
    answer.content_type = lines_type;
    return answer;
  };
}

json::value rule_json(const rules::Rule& rule, rules::Language language) {
  std::string text;
  service::append_rule_json(text, rule, language);
  return service::parsed_or_null(text);
}

Result<Answer> list_rules(Call& call) {
  json::array items;
  for (const rules::Rule* rule : rules::all_rules()) items.push_back(rule_json(*rule, call.language()));
  return page_answer(std::move(items), std::nullopt);
}

Result<Answer> show_rule(Call& call) {
  const rules::Rule* const rule = rules::find_rule(call.path("id"));
  if (rule == nullptr)
    return fail(ErrorDomain::input, "no-rule",
                fmt::format("There is no rule {}", text::escape_for_display(call.path("id"))));
  return json_answer(rule_json(*rule, call.language()));
}

}  // namespace

void add_check_routes(std::vector<Route>& routes) {
  for (const bool routes_only : {false, true}) {
    routes.push_back({.method = Method::post,
                      .path = routes_only ? "/routes" : "/checks",
                      .operation = routes_only ? "findRoutes" : "checkAssignments",
                      .roles = all_roles,
                      .query = {language_parameter(), text_parameter("asOf"),
                                word_parameter("stage", {"assign", "enable"})},
                      .body = {json_body, lines_type, "text/csv", "application/toml"},
                      .body_octets = 16 * 1024 * 1024,
                      .changes_nothing = true,
                      .handler = judge(routes_only)});
  }
  routes.push_back({.path = "/rules",
                    .operation = "listRules",
                    .roles = all_roles,
                    .query = {language_parameter()},
                    .handler = list_rules});
  routes.push_back({.path = "/rules/{id}",
                    .operation = "getRule",
                    .roles = all_roles,
                    .query = {language_parameter()},
                    .handler = show_rule});
}

}  // namespace syncline::admin::api
