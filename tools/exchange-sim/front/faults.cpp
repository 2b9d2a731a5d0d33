// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/faults.hpp"

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "base/text.hpp"

namespace exchange_sim {

namespace json = boost::json;
using syncline::ErrorDomain;
using syncline::fail;
using syncline::Result;

namespace {

constexpr std::array<std::pair<Action, std::string_view>, 32> action_names{{
    {Action::delay, "delay"},
    {Action::cut, "cut"},
    {Action::abort_before, "abort-before"},
    {Action::abort_after, "abort-after"},
    {Action::busy, "busy"},
    {Action::status, "status"},
    {Action::unavailable, "unavailable"},
    {Action::insufficient_storage, "insufficient-storage"},
    {Action::unauthorized, "unauthorized"},
    {Action::ews_disabled, "ews-disabled"},
    {Action::soap_fault, "soap-fault"},
    {Action::response_code, "response-code"},
    {Action::illegal_characters, "illegal-characters"},
    {Action::wrong_order, "wrong-order"},
    {Action::foreign_elements, "foreign-elements"},
    {Action::unknown_value, "unknown-value"},
    {Action::set_text, "set-text"},
    {Action::remove_element, "remove-element"},
    {Action::rename_namespace, "rename-namespace"},
    {Action::partial_page, "partial-page"},
    {Action::empty_listing, "empty-listing"},
    {Action::html_page, "html-page"},
    {Action::truncate, "truncate"},
    {Action::false_length, "false-length"},
    {Action::gzip_bomb, "gzip-bomb"},
    {Action::deep_nesting, "deep-nesting"},
    {Action::entity_bomb, "entity-bomb"},
    {Action::content_type, "content-type"},
    {Action::dead_stream, "dead-stream"},
    {Action::close_stream, "close-stream"},
    {Action::error_subscription, "error-subscription"},
    {Action::lose_events, "lose-events"},
}};

constexpr std::array<std::pair<BusyPlace, std::string_view>, 4> place_names{
    {{BusyPlace::fault, "fault"},
     {BusyPlace::message, "message"},
     {BusyPlace::inner_code, "inner-code"},
     {BusyPlace::http, "http"}}};

syncline::unexpected<syncline::Error> bad_rule(std::string message) {
  return fail(ErrorDomain::input, "bad-rule", "fault rule: " + std::move(message));
}

Result<std::uint64_t> unsigned_of(const json::value& value, std::string_view name) {
  if (value.is_uint64()) return value.as_uint64();
  if (value.is_int64() && value.as_int64() >= 0) return static_cast<std::uint64_t>(value.as_int64());
  return bad_rule(std::string(name) + " is a number that is not negative");
}

Result<FaultRule> rule_of(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return bad_rule("not an object");
  FaultRule rule;
  bool has_action = false;
  // References into `rule`, so that one loop reads all names of a kind.
  const std::array<std::pair<std::string_view, std::string*>, 9> texts{{{"site", &rule.site},
                                                                        {"operation", &rule.operation},
                                                                        {"mailbox", &rule.mailbox},
                                                                        {"user", &rule.user},
                                                                        {"code", &rule.code},
                                                                        {"text", &rule.text},
                                                                        {"element", &rule.element},
                                                                        {"value", &rule.value},
                                                                        {"contentType", &rule.content_type}}};
  for (const auto& [key, member] : *object) {
    const std::string name(key);
    bool known = false;
    for (const auto& [text_name, target] : texts) {
      if (name != text_name) continue;
      if (!member.is_string()) return bad_rule(name + " is a string");
      *target = std::string(member.as_string());
      known = true;
    }
    if (known) continue;
    if (name == "action" || name == "place") {
      if (!member.is_string()) return bad_rule(name + " is a string");
      const std::string word(member.as_string());
      if (name == "action") {
        for (const auto& [action, action_name] : action_names) {
          if (word == action_name) {
            rule.action = action;
            known = has_action = true;
          }
        }
      } else {
        for (const auto& [place, place_name] : place_names) {
          if (word == place_name) {
            rule.place = place;
            known = true;
          }
        }
      }
      if (!known) return bad_rule("no " + name + " is called \"" + word + "\"");
      continue;
    }
    if (name == "probability") {
      const bool number = member.is_double() || member.is_int64() || member.is_uint64();
      rule.probability = number ? member.to_number<double>() : -1.0;
      if (!(rule.probability >= 0.0 && rule.probability <= 1.0))
        return bad_rule("probability is from 0 to 1");
      continue;
    }
    const auto number = unsigned_of(member, name);
    if (!number) return fail(number.error());
    if (name == "skip") {
      rule.skip = *number;
    } else if (name == "times") {
      rule.times = *number;
    } else if (name == "every") {
      if (*number == 0) return bad_rule("every is at least 1");
      rule.every = *number;
    } else if (name == "waitMs") {
      if (*number > 86'400'000ULL * 366) return bad_rule("waitMs is more than a year");
      rule.wait = std::chrono::milliseconds(*number);
    } else if (name == "offset") {
      rule.offset = *number;
    } else if (name == "limit") {
      rule.limit = *number;
    } else if (name == "index") {
      rule.index = *number;
    } else if (name == "status") {
      if (*number < 200 || *number > 599) return bad_rule("status is from 200 to 599");
      rule.http_status = static_cast<int>(*number);
    } else {
      return bad_rule("no name \"" + name + "\"");
    }
  }
  if (!has_action) return bad_rule("no action");
  return rule;
}

bool matches(std::string_view wanted, std::string_view given) {
  return wanted.empty() || wanted == "*" || syncline::text::equals_ignore_case(wanted, given);
}

// SplitMix64: one rule's draws are the same for the same seed, whatever library is used.
double draw(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15ULL;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
  return static_cast<double>((mixed ^ (mixed >> 31)) >> 11) * 0x1.0p-53;
}

}  // namespace

std::string_view to_string(Action action) noexcept {
  for (const auto& [known, name] : action_names) {
    if (known == action) return name;
  }
  return "";
}

Result<FaultRule> parse_fault_rule(std::string_view text) {
  boost::system::error_code error;
  const auto value = json::parse(text, error);
  if (error) return bad_rule("not JSON: " + error.message());
  return rule_of(value);
}

std::string to_json(const FaultRule& rule) {
  json::object out{{"id", rule.id},
                   {"action", to_string(rule.action)},
                   {"site", rule.site},
                   {"operation", rule.operation},
                   {"mailbox", rule.mailbox},
                   {"user", rule.user},
                   {"skip", rule.skip},
                   {"every", rule.every},
                   {"probability", rule.probability},
                   {"waitMs", rule.wait.count()},
                   {"offset", rule.offset},
                   {"limit", rule.limit},
                   {"status", rule.http_status},
                   {"place", place_names[static_cast<std::size_t>(rule.place)].second},
                   {"code", rule.code},
                   {"element", rule.element},
                   {"value", rule.value},
                   {"seen", rule.seen},
                   {"fired", rule.fired}};
  if (rule.times) out["times"] = *rule.times;
  if (rule.index) out["index"] = *rule.index;
  return json::serialize(out);
}

FaultBook::FaultBook(std::uint64_t seed) : random_state_(seed) {}

std::uint64_t FaultBook::add(FaultRule rule) {
  rule.id = ++last_id_;
  rule.seen = 0;
  rule.fired = 0;
  rules_.push_back(std::move(rule));
  return last_id_;
}

Result<std::vector<std::uint64_t>> FaultBook::add_json(std::string_view text) {
  std::vector<FaultRule> rules;
  boost::system::error_code error;
  const auto whole = json::parse(text, error);
  if (!error) {
    if (const auto* array = whole.if_array()) {
      for (const auto& value : *array) {
        auto rule = rule_of(value);
        if (!rule) return fail(std::move(rule.error()));
        rules.push_back(std::move(*rule));
      }
    } else {
      auto rule = rule_of(whole);
      if (!rule) return fail(std::move(rule.error()));
      rules.push_back(std::move(*rule));
    }
  } else {
    for (const auto line : syncline::text::split(text, '\n')) {
      if (syncline::text::trim(line).empty()) continue;
      auto rule = parse_fault_rule(line);
      if (!rule) return fail(std::move(rule.error()));
      rules.push_back(std::move(*rule));
    }
  }
  std::vector<std::uint64_t> ids;
  for (auto& rule : rules) ids.push_back(add(std::move(rule)));
  return ids;
}

bool FaultBook::remove(std::uint64_t id) {
  return std::erase_if(rules_, [id](const FaultRule& rule) { return rule.id == id; }) > 0;
}

std::vector<FaultRule> FaultBook::take(const FaultSubject& subject) {
  std::vector<FaultRule> out;
  for (auto& rule : rules_) {
    // An envelope of an open stream is no request: only rules that name it are meant for it.
    if (subject.operation == "stream" && rule.operation != "stream") continue;
    if (!matches(rule.site, subject.site) || !matches(rule.operation, subject.operation) ||
        !matches(rule.mailbox, subject.mailbox) || !matches(rule.user, subject.user)) {
      continue;
    }
    ++rule.seen;
    if (rule.seen <= rule.skip || (rule.seen - rule.skip - 1) % rule.every != 0) continue;
    if (rule.times && rule.fired >= *rule.times) continue;
    if (rule.probability < 1.0 && draw(random_state_) >= rule.probability) continue;
    ++rule.fired;
    out.push_back(rule);
  }
  return out;
}

}  // namespace exchange_sim
