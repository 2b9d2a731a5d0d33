// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/control.hpp"

#include <openssl/crypto.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/text.hpp"
#include "tools/exchange-sim/front/oauth.hpp"

namespace exchange_sim {

namespace json = boost::json;
namespace text = syncline::text;

namespace {

std::string error_body(std::string_view message) {
  return json::serialize(json::object{{"error", text::to_xml_text(message)}});
}

std::optional<json::object> object_of(const std::string& body) {
  boost::system::error_code error;
  auto value = json::parse(body.empty() ? std::string("{}") : body, error);
  if (error || !value.is_object()) return std::nullopt;
  return value.as_object();
}

std::string string_in(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::optional<std::int64_t> number_in(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  return error ? std::nullopt : std::optional(number);
}

std::optional<EwsSwitch> ews_switch_of(std::string_view word) {
  if (word == "on") return EwsSwitch::on;
  if (word == "off-empty") return EwsSwitch::off_empty;
  if (word == "off-html") return EwsSwitch::off_html;
  if (word == "off-fault") return EwsSwitch::off_fault;
  return std::nullopt;
}

const std::string done = R"({"done":true})";

}  // namespace

Control::Answer Control::answer_faults(const std::string& method, std::string_view rest,
                                       const std::string& body) {
  if (method == "GET") {
    std::string rules;
    for (const auto& rule : sim_.faults().rules()) rules += (rules.empty() ? "" : ",") + to_json(rule);
    return {200, "[" + rules + "]"};
  }
  if (method == "POST") {
    const auto ids = sim_.faults().add_json(body);
    if (!ids) return {400, error_body(ids.error().message)};
    sim_.wake_streams();
    json::array out;
    for (const auto id : *ids) out.emplace_back(id);
    return {200, json::serialize(json::object{{"ids", std::move(out)}})};
  }
  if (method != "DELETE") return {405, error_body("GET, POST or DELETE")};
  if (rest.empty()) {
    sim_.faults().clear();
    return {200, done};
  }
  const auto id = text::parse_int(rest);
  if (!id || *id < 0 || !sim_.faults().remove(static_cast<std::uint64_t>(*id)))
    return {404, error_body("no such rule")};
  return {200, done};
}

Control::Answer Control::answer_site(std::string_view name, const std::string& body) {
  const auto object = object_of(body);
  if (!object) return {400, error_body("not a JSON object")};
  for (const auto& [key, value] : *object) {
    if (key == "ews") {
      const auto state = value.is_string() ? ews_switch_of(std::string(value.as_string())) : std::nullopt;
      if (!state) return {400, error_body("ews is on, off-empty, off-html or off-fault")};
      if (!sim_.set_ews(name, *state)) return {404, error_body("no such site")};
    } else if (key == "move") {
      const auto* move = value.if_object();
      if (move == nullptr) return {400, error_body("move is an object")};
      MovedMailbox moved;
      moved.address = string_in(*move, "address");
      moved.redirect_address = string_in(*move, "redirectAddress");
      moved.redirect_url = string_in(*move, "redirectUrl");
      if (const auto code = string_in(*move, "ewsCode"); !code.empty()) moved.ews_code = code;
      if (moved.address.empty()) return {400, error_body("move needs an address")};
      if (!sim_.move_mailbox(name, std::move(moved))) return {404, error_body("no such site")};
    } else if (key == "revokeTokens") {
      sim_.revoke_tokens(name);
    } else if (key == "issueToken") {
      const auto* wanted = value.if_object();
      if (wanted == nullptr) return {400, error_body("issueToken is an object")};
      const auto token =
          sim_.issue_access_token(name, string_in(*wanted, "clientId"), string_in(*wanted, "address"));
      if (token.empty()) return {404, error_body("no such site or application")};
      return {200, json::serialize(json::object{{"accessToken", token}})};
    } else {
      return {400, error_body("unknown name: " + std::string(key))};
    }
  }
  return {200, done};
}

Control::Answer Control::answer(const std::string& method, const std::string& path, const std::string& query,
                                const std::string& body) {
  const std::string_view base = "/control/";
  if (path.size() <= base.size() || std::string_view(path).substr(0, base.size()) != base) {
    return {404, error_body("paths begin with /control/")};
  }
  const auto inner = std::string_view(path).substr(base.size());
  const auto slash = inner.find('/');
  const auto what = inner.substr(0, slash);
  const auto rest = slash == inner.npos ? std::string_view() : inner.substr(slash + 1);

  if (what == "faults") return answer_faults(method, rest, body);
  if (what == "endpoints" && method == "GET") {
    json::array out;
    for (const auto& endpoint : sim_.endpoints()) {
      out.push_back(json::object{{"site", endpoint.site},
                                 {"tls", endpoint.tls},
                                 {"port", endpoint.port},
                                 {"ewsUrl", endpoint.ews_url},
                                 {"autodiscoverUrl", endpoint.autodiscover_url},
                                 {"tokenUrl", endpoint.token_url}});
    }
    return {200, json::serialize(out)};
  }
  if (what == "log") {
    if (method == "DELETE") {
      sim_.log().clear();
      return {200, done};
    }
    const auto form = parse_form(query);
    const auto after = form.contains("after") ? text::parse_int(form.at("after")).value_or(0) : 0;
    std::string lines;
    for (const auto& entry : sim_.log().entries()) {
      if (static_cast<std::int64_t>(entry.number) > after) lines += to_json(entry) + "\n";
    }
    return {200, lines};
  }
  if (what == "counters") {
    if (method == "DELETE") {
      sim_.counters().reset();
      return {200, done};
    }
    json::object out;
    for (const auto& [name, value] : sim_.counters().all()) out[text::to_xml_text(name)] = value;
    out["streams.open"] = sim_.open_streams();
    return {200, json::serialize(out)};
  }
  if (method != "POST") return {405, error_body("POST")};
  if (what == "reset") {
    sim_.faults().clear();
    sim_.log().clear();
    sim_.counters().reset();
    sim_.reset_throttling();
    return {200, done};
  }
  if (what == "throttling") {
    sim_.reset_throttling();
    return {200, done};
  }
  if (what == "time") {
    const auto object = object_of(body);
    const auto by = object ? number_in(*object, "advanceMs") : std::nullopt;
    constexpr std::int64_t century_ms = 100LL * 366 * 24 * 3600 * 1000;
    if (!by || *by < 0 || *by > century_ms)
      return {400, error_body("advanceMs is a number that is not negative")};
    sim_.advance_calendar(std::chrono::milliseconds(*by));
    return {200, done};
  }
  if (what == "sites") return answer_site(rest, body);
  if (what == "do") {
    if (!command_) return {501, error_body("there are no mailboxes to command")};
    const auto result = command_(body);
    if (!result)
      return {result.error().domain == syncline::ErrorDomain::input ? 400 : 409,
              error_body(result.error().describe())};
    return {200, *result};
  }
  return {404, error_body("no such path")};
}

net::asio::awaitable<void> Control::serve(const net::ServerRequest& request, net::Responder& responder) {
  std::string_view given = request.headers.find("X-Control-Token").value_or("");
  const auto authorization = request.headers.find("Authorization").value_or("");
  if (given.empty() && authorization.substr(0, 7) == "Bearer ") given = text::trim(authorization.substr(7));
  const auto wanted = sim_.control_token();
  Answer out;
  if (given.size() != wanted.size() || CRYPTO_memcmp(given.data(), wanted.data(), wanted.size()) != 0) {
    out = {401, error_body("the control token is needed")};
  } else {
    const auto question = request.target.find('?');
    out = answer(request.method, percent_decode(std::string_view(request.target).substr(0, question), false),
                 question == std::string::npos ? std::string() : request.target.substr(question + 1),
                 request.body);
  }
  net::Headers headers;
  headers.set("Content-Type", "application/json; charset=utf-8");
  static_cast<void>(co_await responder.respond(out.status, std::move(headers), std::move(out.body)));
}

}  // namespace exchange_sim
