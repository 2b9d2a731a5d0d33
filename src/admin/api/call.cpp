// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/api/call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "service/organisation/api_tokens.hpp"
#include "store/api_answers.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;

/// How long a repeated request gets the first one's answer.
constexpr std::chrono::hours answers_kept{7 * 24};
constexpr std::size_t most_json_depth = 32;
constexpr int most_patch_depth = 8;

unexpected<Error> bad(const char* code, std::string why) {
  return fail(ErrorDomain::input, code, std::move(why));
}

/// '+' is a space in queries of forms; browsers and curl's --data-urlencode send it so.
std::string query_decoded(std::string_view text) {
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '+', ' ');
  return text::percent_decoded(plain);
}

bool is_printable(std::string_view text) {
  return text::is_valid_utf8(text) && text::escape_for_display(text) == text;
}

/// base64url back to octets.
std::optional<std::string> base64url_decoded(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c == '+' || c == '/' || c == '=' ? '!' : c;
  text.append((4 - text.size() % 4) % 4, '=');
  auto octets = base64_decode(text);
  if (!octets) return std::nullopt;
  return std::move(*octets);
}

std::string hex_head(std::string_view octets) {
  return base64url_encode(octets.substr(0, 12));
}

}  // namespace

Answer json_answer(const json::value& value, int status) {
  Answer answer{.status = status};
  answer.body = json::serialize(value);
  answer.body.push_back('\n');
  return answer;
}

Answer page_answer(json::array items, const std::optional<std::string>& next) {
  json::object page{{"items", std::move(items)}, {"next", nullptr}};
  if (next) page["next"] = *next;
  return json_answer(page);
}

Call::Call(service::Organisation& organisation, const Route& route,
           std::shared_ptr<const store::ApiToken> token, net::ServerRequest request)
    : organisation_(organisation), route_(route), token_(std::move(token)), request_(std::move(request)) {}

Result<void> Call::read(std::vector<std::string> path_values) {
  const auto names = path_parameters(route_.path);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!is_printable(path_values[i]) || path_values[i].size() > 1024)
      return bad("bad-parameter", fmt::format("{} in the path is no text", names[i]));
    path_.emplace(names[i], std::move(path_values[i]));
  }
  const std::size_t question = request_.target.find('?');
  if (question != std::string::npos) {
    if (auto good = read_query(std::string_view(request_.target).substr(question + 1)); !good) return good;
  }
  if (auto good = read_body_type(); !good) return good;
  if (route_.needs_match && !request_.headers.find("If-Match"))
    return bad("precondition-required", "If-Match is needed: the ETag of what is to be changed, or *");
  if (const auto reason = request_.headers.find("Syncline-Reason");
      reason && (reason->size() > 1000 || !is_printable(*reason)))
    return bad("bad-header", "Syncline-Reason is a text of up to 1000 octets");
  if (const auto key = request_.headers.find("Idempotency-Key"); key && route_.method == Method::post) {
    if (key->empty() || key->size() > 255 || !is_printable(*key))
      return bad("bad-header", "Idempotency-Key is a text of 1 to 255 octets");
    key_ = std::string(*key);
  }
  return {};
}

Result<void> Call::read_query(std::string_view query) {
  for (const std::string_view pair : text::split(query, '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const std::string name = query_decoded(pair.substr(0, equals));
    const std::string value =
        equals == std::string_view::npos ? std::string() : query_decoded(pair.substr(equals + 1));
    const auto known = std::find_if(route_.query.begin(), route_.query.end(),
                                    [&](const Parameter& parameter) { return parameter.name == name; });
    if (known == route_.query.end())
      return bad("unknown-parameter",
                 fmt::format("There is no parameter {}", text::escape_for_display(name.substr(0, 100))));
    if (auto good = check_parameter(*known, value); !good) return good;
    if (!query_.emplace(name, value).second)
      return bad("bad-parameter", fmt::format("{} is given twice", name));
  }
  return {};
}

Result<void> Call::check_parameter(const Parameter& parameter, const std::string& value) const {
  using Type = Parameter::Type;
  const auto wrong = [&](std::string why) {
    return bad("bad-parameter", fmt::format("{} {}", parameter.name, why));
  };
  switch (parameter.type) {
    case Type::text:
      if (value.empty() || value.size() > 2048 || !is_printable(value))
        return wrong("must be a text of 1 to 2048 octets");
      return {};
    case Type::number: {
      const auto number = text::parse_int(value);
      if (!number || *number < parameter.least || *number > parameter.most)
        return wrong(fmt::format("must be a whole number from {} to {}", parameter.least, parameter.most));
      return {};
    }
    case Type::flag:
      if (value != "true" && value != "false") return wrong("must be true or false");
      return {};
    case Type::word:
      if (std::find(parameter.words.begin(), parameter.words.end(), value) == parameter.words.end())
        return wrong(fmt::format("must be one of {}", fmt::join(parameter.words, ", ")));
      return {};
  }
  return {};
}

Result<void> Call::read_body_type() {
  if (route_.body.empty()) {
    if (!request_.body.empty()) return bad("bad-body", "This request has no body");
    return {};
  }
  if (request_.body.empty()) {
    if (route_.body_may_be_empty) return {};
    return bad("bad-body", "This request needs a body");
  }
  const auto field = request_.headers.find("Content-Type");
  std::string_view type = field ? *field : std::string_view();
  type = text::trim(type.substr(0, type.find(';')));
  for (const std::string_view one : route_.body)
    if (text::equals_ignore_case(type, one)) return {};
  return bad("unsupported-media-type",
             fmt::format("Content-Type must be {}", fmt::join(route_.body, " or ")));
}

service::Actor Call::actor() const {
  service::Actor actor{fmt::format("token {} ({})", token_->name, token_->id)};
  if (const auto reason = request_.headers.find("Syncline-Reason")) actor.reason = *reason;
  return actor;
}

Result<std::int64_t> Call::id(std::string_view name) const {
  const auto number = text::parse_int(path(name));
  if (!number || *number < 1)
    return bad("not-found", fmt::format("{} is no id", text::escape_for_display(path(name))));
  return *number;
}

std::optional<std::string> Call::text(std::string_view name) const {
  const auto found = query_.find(name);
  if (found == query_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::int64_t> Call::number(std::string_view name) const {
  const auto value = text(name);
  if (!value) return std::nullopt;
  return text::parse_int(*value);
}

rules::Language Call::language() const {
  const auto word = text("lang");
  return word ? rules::language_from(*word).value_or(rules::Language::en) : rules::Language::en;
}

Result<json::object> Call::any_object() const {
  if (body().empty()) return json::object();
  if (!text::is_valid_utf8(body())) return bad("bad-json", "The body is not UTF-8");
  json::parse_options options;
  options.max_depth = most_json_depth;
  json::error_code error;
  json::value value = json::parse(body(), error, {}, options);
  if (error) return bad("bad-json", fmt::format("The body is no JSON: {}", error.message()));
  if (!value.is_object()) return bad("bad-json", "The body must be a JSON object");
  return std::move(value.get_object());
}

Result<json::object> Call::object(const std::vector<std::string_view>& members) const {
  auto object = any_object();
  if (!object) return object;
  for (const auto& [name, value] : *object) {
    if (std::find(members.begin(), members.end(), std::string_view(name)) == members.end())
      return bad("unknown-member",
                 fmt::format("There is no member {}",
                             text::escape_for_display(std::string_view(name).substr(0, 100))));
  }
  return object;
}

std::string Call::cursor(std::string_view position) const {
  // The operation and all other parameters are part of it: a cursor of one list is none of another.
  std::string asked(route_.operation);
  for (const auto& [name, value] : query_)
    if (name != "cursor" && name != "limit") asked += fmt::format("\n{}={}", name, value);
  return base64url_encode(hex_head(service::sha256_of(asked)) + std::string(position));
}

Result<std::string> Call::position() const {
  const auto given = text("cursor");
  if (!given) return std::string();
  const std::string own = cursor("");
  const auto decoded = base64url_decoded(*given);
  const auto mark = base64url_decoded(own);
  if (!decoded || !decoded->starts_with(*mark))
    return bad("bad-cursor", "This cursor was not given for this query; begin again without one");
  return decoded->substr(mark->size());
}

Result<std::int64_t> Call::numbered_position() const {
  auto at = position();
  if (!at) return fail(std::move(at.error()));
  if (at->empty()) return 0;
  const auto number = text::parse_int(*at);
  if (!number || *number < 0) return bad("bad-cursor", "This cursor was not given by this server");
  return *number;
}

bool Call::matches_anything() const {
  const auto field = request_.headers.find("If-Match");
  return !field || text::trim(*field) == "*";
}

Result<void> Call::check_match(std::string_view etag) const {
  if (matches_anything()) return {};
  for (const std::string_view field : request_.headers.find_all("If-Match"))
    for (const std::string_view one : text::split(field, ','))
      if (text::trim(one) == etag) return {};
  return bad("precondition-failed", fmt::format("It has changed since: its ETag is {}", etag));
}

std::string Call::request_hash() const {
  const std::string_view type = request_.headers.find("Content-Type").value_or("");
  return service::sha256_of(
      fmt::format("{}\n{}\n{}\n{}", request_.method, request_.target, type, request_.body));
}

Result<void> Call::remember(store::Transaction& transaction, const Answer& answer) {
  if (!key_) return {};
  json::object header{{"Content-Type", answer.content_type}};
  for (const auto& [name, value] : answer.header) header[name] = value;
  auto put = store::put_api_answer(transaction, token_->id, *key_,
                                   {.request = request_hash(),
                                    .status = answer.status,
                                    .header = json::serialize(header),
                                    .body = answer.kept_body.value_or(answer.body)},
                                   now() - answers_kept);
  if (put) is_remembered_ = true;
  return put;
}

std::string etag_of(const json::value& value) {
  return "\"" + hex_head(service::sha256_of(json::serialize(value))) + "\"";
}

std::string etag_of(std::int64_t version) {
  return fmt::format("\"v{}\"", version);
}

void merge_patch(json::object& target, const json::object& patch, int depth) {
  if (depth > most_patch_depth) return;
  for (const auto& [name, value] : patch) {
    if (value.is_null()) {
      target.erase(name);
    } else if (value.is_object()) {
      json::value& below = target[name];
      if (!below.is_object()) below.emplace_object();
      merge_patch(below.get_object(), value.get_object(), depth + 1);
    } else {
      target[name] = value;
    }
  }
}

}  // namespace syncline::admin::api
