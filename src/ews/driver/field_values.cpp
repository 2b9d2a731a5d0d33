// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <unordered_set>
#include <vector>

#include "base/text.hpp"
#include "ews/driver/field_row.hpp"
#include "model/field_catalogue.hpp"
#include "time/civil.hpp"

namespace syncline::ews {
namespace {

namespace json = boost::json;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using namespace std::chrono_literals;

constexpr sys_seconds first_real = sys_days{std::chrono::year{1602} / 1 / 1};
constexpr sys_seconds none_from = sys_days{std::chrono::year{4500} / 1 / 1};

/// LF line ends, as records have them. Most texts have no CR.
void append_normalised(json::string& out, std::string_view text) {
  out.reserve(text.size());
  for (;;) {
    const std::size_t at = text.find('\r');
    out.append(text.substr(0, at));
    if (at == std::string_view::npos) return;
    out.push_back('\n');
    text.remove_prefix(at + (at + 1 < text.size() && text[at + 1] == '\n' ? 2 : 1));
  }
}

json::value normalised(std::string_view text) {
  json::string out;
  append_normalised(out, text);
  return out;
}

/// Requests carry TimeZoneContext UTC: a reading of the clock without a zone is UTC (invariant 13).
std::optional<sys_seconds> seconds_of(const DateTime& time) {
  const auto ms = time.unix_ms() ? time.unix_ms() : time.wall_clock_ms();
  if (!ms) return std::nullopt;
  return std::chrono::floor<std::chrono::seconds>(
      std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(*ms)));
}

enum class Said : std::uint8_t { time, none, unreadable };

Said what_is_said(const std::optional<DateTime>& time) {
  if (!time) return Said::none;
  const auto at = seconds_of(*time);
  if (!at) return Said::unreadable;
  return *at < first_real || *at >= none_from ? Said::none : Said::time;
}

MappedValue no_time(Said said) {
  if (said == Said::unreadable) return std::nullopt;
  return json::value();
}

/// "2026-11-22T10:00:00Z" already.
bool is_canonical(const DateTime& time) {
  const std::string& text = time.text();
  return time.form() == DateTime::Form::instant && text.size() == 20 && text[19] == 'Z' && text[10] == 'T' &&
         std::string_view(text).substr(11, 2) <= "23" && std::string_view(text).substr(17, 2) <= "59";
}

json::value date_text(std::chrono::local_days day) {
  return json::value(time::format_date(day));
}

/// The day that begins nearest: a server may say midnight of another zone, some hours off.
std::chrono::local_days nearest_day(std::chrono::local_seconds clock) {
  return std::chrono::floor<std::chrono::days>(clock + 12h);
}

std::string_view trimmed(const std::optional<std::string>& text) {
  return text ? text::trim(*text) : std::string_view();
}

/// An object without entries for nobody.
json::object person(const EmailAddress& address) {
  json::object made;
  const std::string_view name = trimmed(address.name);
  const std::string_view mail = trimmed(address.address);
  if (!name.empty()) made.emplace("name", name);
  if (!mail.empty()) made.emplace("emailAddress", mail);
  return made;
}

/// By what persons are told apart (model::canonical).
std::string_view key_of(const EmailAddress& address) {
  const std::string_view mail = trimmed(address.address);
  return mail.empty() ? trimmed(address.name) : mail;
}

/// Keys in any case. Most sets are small: those are compared one by one, without a copy of anything.
class SeenKeys {
 public:
  /// False: it was there before. `key` must outlive this.
  bool insert(std::string_view key) {
    if (few_.size() < most_few && many_.empty()) {
      if (std::any_of(few_.begin(), few_.end(),
                      [&](std::string_view one) { return text::equals_ignore_case(one, key); }))
        return false;
      few_.push_back(key);
      return true;
    }
    if (many_.empty())
      for (const std::string_view one : few_) many_.insert(text::to_lower_ascii(one));
    return many_.insert(text::to_lower_ascii(key)).second;
  }

 private:
  static constexpr std::size_t most_few = 16;
  std::vector<std::string_view> few_;
  std::unordered_set<std::string> many_;
};

}  // namespace

MappedValue text_of(const std::optional<std::string>& text, const ItemContext&) {
  if (!text || text->empty()) return json::value();
  if (text->size() > model::field_text_limit_octets) return std::nullopt;
  return normalised(*text);
}

MappedValue body_of(const std::optional<Body>& body, const ItemContext&) {
  if (!body || body->value.empty()) return json::value();
  // A part of a body must not pass for the whole: it would be written back.
  if (body->value.size() > model::field_text_limit_octets || body->is_truncated.value_or(false) ||
      !body->type.known())
    return std::nullopt;
  json::object made;
  made.emplace("type", body->type == BodyType::html ? "html" : "text");
  made.emplace("value", normalised(body->value));
  return json::value(std::move(made));
}

MappedValue boolean_of(const std::optional<bool>& value, const ItemContext&) {
  return value ? json::value(*value) : json::value();
}

MappedValue integer_of(const std::optional<std::int64_t>& value, const ItemContext&) {
  if (!value) return json::value();
  if (*value < INT32_MIN || *value > INT32_MAX) return std::nullopt;
  return json::value(*value);
}

MappedValue number_of(const std::optional<double>& value, const ItemContext&) {
  return value ? json::value(*value) : json::value();
}

MappedValue instant_of(const std::optional<DateTime>& time, const ItemContext&) {
  if (const Said said = what_is_said(time); said != Said::time) return no_time(said);
  if (is_canonical(*time)) return json::value(time->text());
  return json::value(time::format_utc(*seconds_of(*time)));
}

MappedValue date_of(const std::optional<DateTime>& time, const ItemContext& context) {
  if (const Said said = what_is_said(time); said != Said::time) return no_time(said);
  const sys_seconds at = *seconds_of(*time);
  const auto local = context.zone.to_local(at);
  const auto local_day = std::chrono::floor<std::chrono::days>(local);
  if (local == local_day) return date_text(local_day);
  return date_text(nearest_day(std::chrono::local_seconds(at.time_since_epoch())));
}

MappedValue time_or_date_of(const std::optional<DateTime>& time, const ItemContext& context) {
  if (!context.is_all_day) return instant_of(time, context);
  if (const Said said = what_is_said(time); said != Said::time) return no_time(said);
  return date_text(nearest_day(context.zone.to_local(*seconds_of(*time))));
}

MappedValue words_of(const std::vector<std::string>& words, const ItemContext&) {
  if (words.empty()) return json::value();
  json::array made;
  made.reserve(words.size());
  std::unordered_set<std::string_view> seen;
  for (const std::string& word : words) {
    const std::string_view clean = text::trim(word);
    if (!clean.empty() && made.size() < model::field_elements_limit && seen.insert(clean).second)
      made.emplace_back(normalised(clean));
  }
  return made.empty() ? json::value() : json::value(std::move(made));
}

MappedValue person_of(const std::optional<EmailAddress>& address, const ItemContext&) {
  if (!address) return json::value();
  json::object made = person(*address);
  return made.empty() ? json::value() : json::value(std::move(made));
}

MappedValue people_of(const std::vector<EmailAddress>& people, const ItemContext&) {
  if (people.empty()) return json::value();
  if (people.size() > model::field_elements_limit) return std::nullopt;
  json::array made;
  made.reserve(people.size());
  SeenKeys seen;
  for (const EmailAddress& one : people) {
    if (people.size() > 1 && !seen.insert(key_of(one))) continue;
    if (json::object object = person(one); !object.empty()) made.emplace_back(std::move(object));
  }
  return made.empty() ? json::value() : json::value(std::move(made));
}

MappedValue attachments_of(const std::vector<Attachment>& attachments, const ItemContext&) {
  if (attachments.empty()) return json::value();
  if (attachments.size() > model::field_elements_limit) return std::nullopt;
  json::array made;
  made.reserve(attachments.size());
  for (const Attachment& one : attachments) {
    if (!one.id) continue;
    json::object object;
    object.reserve(6);
    object.emplace("id", one.id->id);
    if (one.name) object.emplace("name", *one.name);
    if (std::holds_alternative<ItemContent>(one.content))
      object.emplace("contentType", "message/rfc822");
    else if (one.content_type)
      object.emplace("contentType", *one.content_type);
    if (one.size && *one.size >= 0) object.emplace("size", *one.size);
    object.emplace("isInline", one.is_inline.value_or(false));
    if (one.content_id) object.emplace("contentId", *one.content_id);
    made.emplace_back(std::move(object));
  }
  return made.empty() ? json::value() : json::value(std::move(made));
}

}  // namespace syncline::ews
