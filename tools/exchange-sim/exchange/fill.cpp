// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/exchange/fill.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "tools/exchange-sim/exchange/apply.hpp"
#include "tools/exchange-sim/exchange/mime.hpp"
#include "tools/exchange-sim/exchange/recurrence.hpp"

namespace exchange_sim {
namespace {

using syncline::text::equals_ignore_case;
using syncline::text::trim;

constexpr std::uintmax_t kFileLimit = 512U << 20;
constexpr std::size_t kFilesLimit = 1'000'000;

/// A line of RFC 5545 or RFC 6350: name, parameters, value; unfolded.
struct ContentLine {
  std::string name;  ///< upper case, without group
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string value;

  std::string_view parameter(std::string_view wanted) const {
    for (const auto& [name_, value_] : parameters)
      if (equals_ignore_case(name_, wanted)) return value_;
    return {};
  }
  bool has_type(std::string_view type) const {
    for (const auto& [name_, value_] : parameters) {
      if (equals_ignore_case(name_, type)) return true;
      if (!equals_ignore_case(name_, "TYPE")) continue;
      for (const std::string_view part : syncline::text::split(value_, ','))
        if (equals_ignore_case(trim(part), type)) return true;
    }
    return false;
  }
};

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

/// Of vCard 2.1: the value is quoted-printable, and goes on in the next line.
bool has_soft_break(std::string_view line) {
  if (line.empty() || line.back() != '=') return false;
  return upper(line.substr(0, line.find(':'))).find("QUOTED-PRINTABLE") != std::string::npos;
}

/// CRLF, LF or CR end a line.
std::vector<std::string> unfolded_lines(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const char newline = text.find('\n') == std::string_view::npos ? '\r' : '\n';
  std::vector<std::string> lines;
  bool soft = false;
  for (std::string_view line : syncline::text::split(text, newline)) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (soft) {
      lines.back().pop_back();
      lines.back() += line;
      soft = !line.empty() && line.back() == '=';
      continue;
    }
    if (!line.empty() && (line.front() == ' ' || line.front() == '\t') && !lines.empty()) {
      lines.back() += line.substr(1);
    } else if (!line.empty()) {
      lines.emplace_back(line);
    }
    soft = !line.empty() && has_soft_break(lines.back());
  }
  return lines;
}

std::vector<ContentLine> content_lines(std::string_view text) {
  const std::vector<std::string> lines = unfolded_lines(text);
  std::vector<ContentLine> out;
  for (const std::string& line : lines) {
    bool quoted = false;
    std::size_t colon = 0;
    for (; colon < line.size() && (quoted || line[colon] != ':'); ++colon)
      if (line[colon] == '"') quoted = !quoted;
    if (colon == line.size()) continue;
    ContentLine made;
    const auto parts = syncline::text::split(std::string_view(line).substr(0, colon), ';');
    std::string_view name = parts.front();
    if (const std::size_t dot = name.find('.'); dot != std::string_view::npos) name.remove_prefix(dot + 1);
    made.name = upper(name);
    for (std::size_t i = 1; i < parts.size(); ++i) {
      const std::size_t equals = parts[i].find('=');
      std::string value(equals == std::string_view::npos ? std::string_view() : parts[i].substr(equals + 1));
      std::erase(value, '"');
      made.parameters.emplace_back(parts[i].substr(0, equals), value);
    }
    std::string value = line.substr(colon + 1);
    if (made.has_type("QUOTED-PRINTABLE") ||
        equals_ignore_case(made.parameter("ENCODING"), "QUOTED-PRINTABLE"))
      value = quoted_printable_octets(value);
    made.value = octets_as_utf8(std::move(value), made.parameter("CHARSET"));
    out.push_back(std::move(made));
  }
  return out;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      out += text[i] == 'n' || text[i] == 'N' ? '\n' : text[i];
    } else {
      out += text[i];
    }
  }
  return out;
}

/// Parts of a structured value, unescaped.
std::vector<std::string> structured(std::string_view text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      parts.back() += text[i];
      parts.back() += text[++i];
    } else if (text[i] == ';') {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  for (std::string& part : parts) part = unescape(part);
  return parts;
}

struct IcsTime {
  Seconds wall = 0;
  bool utc = false;
  bool date_only = false;
};

std::optional<IcsTime> ics_time(std::string_view text) {
  text = trim(text);
  if (text.size() < 8) return std::nullopt;
  std::string spelled = std::string(text.substr(0, 4)) + '-' + std::string(text.substr(4, 2)) + '-' +
                        std::string(text.substr(6, 2));
  IcsTime time;
  time.date_only = text.size() == 8;
  if (!time.date_only) {
    if (text.size() < 15 || text[8] != 'T') return std::nullopt;
    spelled += 'T' + std::string(text.substr(9, 2)) + ':' + std::string(text.substr(11, 2)) + ':' +
               std::string(text.substr(13, 2));
    time.utc = text.size() > 15 && text[15] == 'Z';
  }
  const auto parsed = parse_time(spelled);
  if (!parsed) return std::nullopt;
  time.wall = parsed->wall;
  return time;
}

/// Windows' zone of a TZID: itself, or one of the few IANA names samples use.
const Zone& zone_of(std::string_view tzid) {
  if (const Zone* zone = find_zone(tzid)) return *zone;
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"Europe/Berlin", "W. Europe Standard Time"},
      {"Europe/Rome", "W. Europe Standard Time"},
      {"Europe/Vienna", "W. Europe Standard Time"},
      {"Europe/Zurich", "W. Europe Standard Time"},
      {"Europe/Paris", "Romance Standard Time"},
      {"Europe/Madrid", "Romance Standard Time"},
      {"Europe/London", "GMT Standard Time"},
      {"Europe/Lisbon", "GMT Standard Time"},
      {"Europe/Moscow", "Russian Standard Time"},
      {"America/New_York", "Eastern Standard Time"},
      {"America/Chicago", "Central Standard Time"},
      {"America/Denver", "Mountain Standard Time"},
      {"America/Los_Angeles", "Pacific Standard Time"},
      {"America/Sao_Paulo", "E. South America Standard Time"},
      {"Asia/Tokyo", "Tokyo Standard Time"},
      {"Asia/Kolkata", "India Standard Time"},
      {"Asia/Shanghai", "China Standard Time"},
      {"Australia/Sydney", "AUS Eastern Standard Time"}};
  for (const auto& [iana, windows] : kNames)
    if (equals_ignore_case(iana, tzid))
      if (const Zone* zone = find_zone(windows)) return *zone;
  return utc_zone();
}

/// RRULE to a kept recurrence; nullopt if it says more than EWS can.
std::optional<Recurrence> rule_of(std::string_view text, Day start, const Zone& zone) {
  using Pattern = Recurrence::Pattern;
  Recurrence r;
  r.start = start;
  std::string frequency;
  std::string by_day;
  std::optional<int> month_day, month, position;
  for (const std::string_view part : syncline::text::split(text, ';')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string name = upper(trim(part.substr(0, equals)));
    const std::string_view value = trim(part.substr(equals + 1));
    const auto number = syncline::text::parse_int(value);
    if (name == "FREQ") {
      frequency = upper(value);
    } else if (name == "INTERVAL") {
      if (!number || *number < 1 || *number > 999) return std::nullopt;
      r.interval = static_cast<int>(*number);
    } else if (name == "COUNT") {
      if (!number || *number < 1 || *number > 999) return std::nullopt;
      r.count = static_cast<int>(*number);
    } else if (name == "UNTIL") {
      const auto until = ics_time(value);
      if (!until) return std::nullopt;
      r.end = day_of_seconds(until->utc ? zone.to_wall(until->wall) : until->wall);
    } else if (name == "BYDAY") {
      by_day = upper(value);
    } else if (name == "BYMONTHDAY") {
      if (!number || *number < 1 || *number > 31) return std::nullopt;
      month_day = static_cast<int>(*number);
    } else if (name == "BYMONTH") {
      if (!number || *number < 1 || *number > 12) return std::nullopt;
      month = static_cast<int>(*number);
    } else if (name == "BYSETPOS") {
      if (!number || *number < -1 || *number > 4 || *number == 0) return std::nullopt;
      position = static_cast<int>(*number);
    } else if (name != "WKST") {
      return std::nullopt;
    }
  }
  constexpr std::string_view kDays[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
  if (!by_day.empty())
    for (std::string_view day : syncline::text::split(by_day, ',')) {
      day = trim(day);
      if (day.size() < 2) return std::nullopt;
      if (day.size() > 2) {
        const std::string_view digits =
            day.front() == '+' ? day.substr(1, day.size() - 3) : day.substr(0, day.size() - 2);
        const auto number = syncline::text::parse_int(digits);
        if (!number || *number < -1 || *number > 4 || *number == 0) return std::nullopt;
        position = static_cast<int>(*number);
      }
      const auto at = std::find(std::begin(kDays), std::end(kDays), day.substr(day.size() - 2));
      if (at == std::end(kDays)) return std::nullopt;
      r.days |= 1U << (at - std::begin(kDays));
    }
  const CivilDate date = civil(start);
  r.index = position.value_or(1) < 0 ? 5 : position.value_or(1);
  r.day_of_month = month_day.value_or(date.day);
  r.month = month.value_or(date.month);
  const bool relative = r.days != 0;
  if (frequency == "DAILY") {
    r.pattern = relative ? Pattern::weekly : Pattern::daily;
    if (relative && r.interval != 1) return std::nullopt;
  } else if (frequency == "WEEKLY") {
    r.pattern = Pattern::weekly;
    if (!relative) r.days = 1U << weekday(start);
    r.first_day_of_week = 1;
    r.has_first_day = true;
  } else if (frequency == "MONTHLY") {
    if (relative && !position) return std::nullopt;
    r.pattern = relative ? Pattern::relative_monthly : Pattern::absolute_monthly;
  } else if (frequency == "YEARLY") {
    if ((relative && !position) || r.interval != 1) return std::nullopt;
    r.pattern = relative ? Pattern::relative_yearly : Pattern::absolute_yearly;
  } else {
    return std::nullopt;
  }
  if (r.end && *r.end < r.start) return std::nullopt;
  return r;
}

class Filler {
 public:
  Filler(Context& context, FillReport& report) : context_(context), report_(report) {}

  void file(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error || size > kFileLimit) return malformed(name, "the file can not be read or is too large");
    std::ifstream in(path, std::ios::binary);
    std::string content(static_cast<std::size_t>(size), '\0');
    in.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (in.bad() || in.gcount() != static_cast<std::streamsize>(content.size()))
      return malformed(name, "the file can not be read");
    const std::string extension = syncline::text::to_lower_ascii(path.extension().string());
    if (extension == ".eml") {
      message(name, content);
    } else if (extension == ".mbox") {
      mbox(name, content);
    } else if (extension == ".ics") {
      components(name, content);
    } else if (extension == ".vcf") {
      components(name, content);
    }
  }

 private:
  void malformed(const std::string& name, const std::string& what) {
    report_.malformed.push_back(name + ": " + what);
  }

  Item* insert(std::string_view folder, std::unique_ptr<Item> item) {
    return &context_.store.insert(context_.mailbox, context_.mailbox.folder(folder)->number, std::move(item));
  }

  void message(const std::string& name, const std::string& octets) {
    if (trim(octets).empty()) return malformed(name, "empty");
    auto item = item_from_mime(context_, octets);
    if (!item->bag.has(f_internet_headers)) return malformed(name, "no header");
    const std::string received(item->bag.find(f_sent).value_or(format_utc(context_.store.now())));
    item->bag.set(f_received, received);
    item->bag.set(f_created, received);
    if (!item->bag.has(f_sent)) item->bag.set(f_sent, received);
    item->is_unmodified = true;
    set_conversation(context_, *item, {});
    insert("inbox", std::move(item));
    ++report_.messages;
  }

  /// Whether a message begins at `at`, where a line "From " does: a header must follow, as text may have such
  /// lines, too.
  static bool is_message_start(std::string_view content, std::size_t at) {
    const std::size_t newline = content.find('\n', at);
    if (newline == std::string_view::npos) return false;
    std::string_view next = content.substr(newline + 1, 200);
    next = next.substr(0, next.find('\n'));
    if (next.starts_with(">From ")) return true;
    const std::string_view field = next.substr(0, next.find(':'));
    return field.size() < next.size() && !field.empty() &&
           std::all_of(field.begin(), field.end(), [](char c) { return c > ' ' && c < 0x7F; });
  }

  void mbox(const std::string& name, std::string_view content) {
    if (!content.starts_with("From ")) return malformed(name, "no From line at the beginning");
    std::string current;
    std::size_t number = 0;
    const auto flush = [&] {
      if (number > 0) message(name + ", message " + std::to_string(number), current);
      ++number;
      current.clear();
    };
    for (std::size_t at = 0; at < content.size();) {
      const std::size_t end = std::min(content.find('\n', at), content.size() - 1) + 1;
      std::string_view line = content.substr(at, end - at);
      if (line.starts_with("From ") && (at == 0 || is_message_start(content, at))) {
        flush();
        at = end;
        continue;
      }
      at = end;
      // mboxrd: one '>' of a quoted From line goes.
      const std::size_t quote = line.find_first_not_of('>');
      if (quote != std::string_view::npos && quote > 0 && line.substr(quote).starts_with("From "))
        line.remove_prefix(1);
      current += line;
    }
    flush();
  }

  static bool is_item(std::string_view kind) {
    return kind == "VEVENT" || kind == "VTODO" || kind == "VCARD";
  }

  /// Takes in what is there, whatever of BEGIN and END is missing, and tells what was missing.
  void components(const std::string& name, std::string_view content) {
    std::vector<std::string> open;
    std::vector<ContentLine> own;  // of the item that is open, not those of its alarms
    const std::size_t told = report_.malformed.size();
    std::size_t found = 0;
    const auto end_item = [&](const std::string& kind) {
      if (kind == "VEVENT") found += event(name, own) ? 1 : 0;
      if (kind == "VTODO") found += todo(name, own) ? 1 : 0;
      if (kind == "VCARD") found += card(name, own) ? 1 : 0;
      own.clear();
    };
    const auto end_without_line = [&] {
      const std::string kind = std::move(open.back());
      open.pop_back();
      malformed(name, printable(kind) + " without END");
      if (is_item(kind)) end_item(kind);
    };
    for (ContentLine& line : content_lines(content)) {
      if (line.name == "BEGIN") {
        std::string kind = upper(trim(line.value));
        if (is_item(kind))
          while (std::any_of(open.begin(), open.end(), is_item)) end_without_line();
        if (open.size() > 10) return malformed(name, "nested too deeply");
        if (kind == "VJOURNAL" || kind == "VFREEBUSY") malformed(name, "a mailbox has no place for " + kind);
        open.push_back(std::move(kind));
      } else if (line.name == "END") {
        const std::string kind = upper(trim(line.value));
        if (std::find(open.begin(), open.end(), kind) == open.end()) {
          malformed(name, "END:" + printable(kind) + " without BEGIN");
          continue;
        }
        while (open.back() != kind) end_without_line();
        open.pop_back();
        if (is_item(kind)) end_item(kind);
      } else if (!open.empty() && is_item(open.back())) {
        own.push_back(std::move(line));
      }
    }
    while (!open.empty()) end_without_line();
    if (found == 0 && report_.malformed.size() == told)
      malformed(name, "nothing in it that belongs into a mailbox");
  }

  static std::string printable(std::string_view kind) {
    std::string out;
    for (const char c : kind.substr(0, 40)) out += c > ' ' && c < 0x7F ? c : '?';
    return out;
  }

  static const ContentLine* line_of(const std::vector<ContentLine>& lines, std::string_view name) {
    for (const ContentLine& line : lines)
      if (line.name == name) return &line;
    return nullptr;
  }
  static std::string text_of(const std::vector<ContentLine>& lines, std::string_view name) {
    const ContentLine* line = line_of(lines, name);
    return line == nullptr ? std::string() : unescape(line->value);
  }

  static std::string first_part_of(const std::vector<ContentLine>& lines, std::string_view name) {
    const ContentLine* line = line_of(lines, name);
    return line == nullptr ? std::string() : std::string(trim(structured(line->value).front()));
  }

  bool settle_and_insert(const std::string& name, std::string_view folder, std::unique_ptr<Item> item,
                         std::size_t& count) {
    if (auto done = settle(context_, *item, nullptr); !done) {
      malformed(name, done.error().message);
      return false;
    }
    insert(folder, std::move(item));
    ++count;
    return true;
  }

  bool event(const std::string& name, const std::vector<ContentLine>& lines) {
    const ContentLine* start_line = line_of(lines, "DTSTART");
    const auto start = start_line == nullptr ? std::nullopt : ics_time(start_line->value);
    if (!start) {
      malformed(name, "an event without DTSTART");
      return false;
    }
    const std::string_view tzid = start_line->parameter("TZID");
    const Zone& zone = start->utc ? utc_zone() : zone_of(tzid);
    if (&zone == &utc_zone() && !start->utc && !tzid.empty() && !equals_ignore_case(tzid, "UTC"))
      malformed(name, "an unknown zone, taken for UTC: " + std::string(tzid.substr(0, 100)));
    const auto utc = [&](const IcsTime& time) { return time.utc ? time.wall : zone.to_utc(time.wall); };
    const ContentLine* end_line = line_of(lines, "DTEND");
    const auto end = end_line == nullptr ? std::nullopt : ics_time(end_line->value);
    Seconds length = start->date_only ? kDaySeconds : 0;
    if (end) length = std::max<Seconds>(0, utc(*end) - utc(*start));
    if (!end)
      if (const auto minutes = parse_minutes(text_of(lines, "DURATION"))) length = *minutes * 60;
    // A day of a series that was changed: a patch of the series that came before it.
    if (const ContentLine* id = line_of(lines, "RECURRENCE-ID")) {
      const std::string uid = text_of(lines, "UID");
      const auto original = ics_time(id->value);
      for (const std::uint32_t number : context_.mailbox.folder("calendar")->items) {
        Item* item = context_.mailbox.item(number);
        if (!original || item->kind != ItemKind::calendar_item || item->bag.get(f_uid) != uid) continue;
        const auto day = original->date_only ? std::optional(day_of_seconds(original->wall))
                                             : series_day_at(*item, utc(*original));
        if (!day) break;
        if (!item->occurrences) item->occurrences = std::make_unique<std::map<Day, Occurrence>>();
        Occurrence& o = (*item->occurrences)[*day];
        o.changes.set(f_start, format_utc(utc(*start)));
        o.changes.set(f_end, format_utc(utc(*start) + length));
        if (line_of(lines, "SUMMARY") != nullptr) o.changes.set(f_subject, text_of(lines, "SUMMARY"));
        context_.store.touch(context_.mailbox, *item);
        return true;
      }
      malformed(name, "a changed day of no series");
      return false;
    }
    auto item = std::make_unique<Item>();
    item->kind = ItemKind::calendar_item;
    PropertyBag& bag = item->bag;
    bag.set(f_subject, text_of(lines, "SUMMARY"));
    if (const std::string text = text_of(lines, "DESCRIPTION"); !text.empty()) {
      bag.set(f_body, text);
      bag.set(f_body_type, "Text");
    }
    if (const std::string location = text_of(lines, "LOCATION"); !location.empty())
      bag.set(f_location, location);
    if (const std::string uid = text_of(lines, "UID"); !uid.empty()) bag.set(f_uid, uid);
    bag.set(f_start, format_utc(utc(*start)));
    bag.set(f_end, format_utc(utc(*start) + length));
    bag.set(f_all_day, start->date_only ? "true" : "false");
    std::string zone_xml;
    write_zone(zone_xml, zone, true, "StartTimeZone");
    bag.set(f_start_zone, zone_xml);
    std::vector<Recipient> attendees;
    for (const ContentLine& line : lines) {
      if (line.name != "ATTENDEE" && line.name != "ORGANIZER") continue;
      std::string address = line.value;
      if (equals_ignore_case(std::string_view(address).substr(0, 7), "mailto:")) address.erase(0, 7);
      Recipient r{std::string(line.parameter("CN")), address, "SMTP", "Unknown", ""};
      if (line.name == "ATTENDEE") {
        attendees.push_back(std::move(r));
      } else {
        item->is_organizer = context_.store.mailbox(address) == &context_.mailbox;
        bag.set(f_organizer, mailboxes_xml(context_.store, {r}));
      }
    }
    if (!attendees.empty()) {
      bag.set(f_required, attendees_xml(context_.store, attendees));
      item->invitations_sent = true;
      if (!item->is_organizer) item->my_response = response_index("NoResponseReceived");
    }
    if (const ContentLine* rule = line_of(lines, "RRULE")) {
      const auto recurrence = rule_of(rule->value, day_of_seconds(start->wall), zone);
      if (!recurrence) {
        malformed(name, "a rule EWS can not say: " + rule->value);
        return false;
      }
      bag.set(f_recurrence, write_recurrence(*recurrence));
      for (const ContentLine& line : lines) {
        if (line.name == "RDATE") malformed(name, "a series has no more days than its rule says: RDATE");
        if (line.name != "EXDATE") continue;
        for (const std::string_view part : syncline::text::split(line.value, ','))
          if (const auto when = ics_time(part)) {
            if (!item->occurrences) item->occurrences = std::make_unique<std::map<Day, Occurrence>>();
            (*item->occurrences)[day_of_seconds(when->utc ? zone.to_wall(when->wall) : when->wall)].deleted =
                true;
          }
      }
    }
    return settle_and_insert(name, "calendar", std::move(item), report_.appointments);
  }

  bool todo(const std::string& name, const std::vector<ContentLine>& lines) {
    auto item = std::make_unique<Item>();
    item->kind = ItemKind::task;
    PropertyBag& bag = item->bag;
    bag.set(f_subject, text_of(lines, "SUMMARY"));
    if (const std::string text = text_of(lines, "DESCRIPTION"); !text.empty()) {
      bag.set(f_body, text);
      bag.set(f_body_type, "Text");
    }
    const auto date = [&](std::string_view property, Field field) {
      if (const auto when = ics_time(text_of(lines, property)))
        bag.set(field, format_utc(day_of_seconds(when->wall) * kDaySeconds));
    };
    date("DUE", f_due_date);
    date("DTSTART", f_start_date);
    date("COMPLETED", f_complete_date);
    const std::string status = upper(text_of(lines, "STATUS"));
    if (status == "COMPLETED") bag.set(f_status, "Completed");
    if (status == "IN-PROCESS") bag.set(f_status, "InProgress");
    if (const auto percent = syncline::text::parse_int(text_of(lines, "PERCENT-COMPLETE"));
        percent && *percent >= 0 && *percent <= 100)
      bag.set(f_percent, std::to_string(*percent));
    return settle_and_insert(name, "tasks", std::move(item), report_.tasks);
  }

  void entry(Item& item, Field field, std::string_view key, std::string_view part, std::string_view value) {
    if (value.empty()) return;
    if (const PropertyId id = context_.store.dictionary_id({field, std::string(key), std::string(part)}))
      item.bag.set(id, value);
  }

  bool card(const std::string& name, const std::vector<ContentLine>& lines) {
    auto item = std::make_unique<Item>();
    item->kind = ItemKind::contact;
    PropertyBag& bag = item->bag;
    const auto set = [&](Field field, const std::string& value) {
      if (!value.empty()) bag.set(field, value);
    };
    set(f_display_name, text_of(lines, "FN"));
    if (const ContentLine* n = line_of(lines, "N")) {
      auto parts = structured(n->value);
      parts.resize(5);
      set(f_surname, parts[0]);
      set(f_given_name, parts[1]);
      set(f_middle_name, parts[2]);
      set(f_generation, parts[4]);
    }
    if (!bag.has(f_display_name) && !bag.has(f_surname) && !bag.has(f_given_name)) {
      for (const std::string_view other : {"ORG", "EMAIL", "TEL"})
        if (!bag.has(f_display_name)) set(f_display_name, first_part_of(lines, other));
      if (!bag.has(f_display_name)) {
        malformed(name, "a card without a name");
        return false;
      }
    }
    if (const ContentLine* org = line_of(lines, "ORG")) {
      auto parts = structured(org->value);
      parts.resize(2);
      set(f_company_name, parts[0]);
      set(f_department, parts[1]);
    }
    set(f_job_title, text_of(lines, "TITLE"));
    set(f_nickname, text_of(lines, "NICKNAME"));
    set(f_home_page, text_of(lines, "URL"));
    if (const std::string note = text_of(lines, "NOTE"); !note.empty()) {
      bag.set(f_body, note);
      bag.set(f_body_type, "Text");
    }
    if (const auto day = ics_time(text_of(lines, "BDAY"))) bag.set(f_birthday, format_utc(day->wall));
    if (const auto day = parse_day(text_of(lines, "BDAY")))
      bag.set(f_birthday, format_utc(*day * kDaySeconds));
    int emails = 0;
    for (const ContentLine& line : lines) {
      if (line.name == "EMAIL" && emails < 3)
        entry(*item, f_email_addresses, "EmailAddress" + std::to_string(++emails), "", unescape(line.value));
      if (line.name == "TEL") {
        const bool home = line.has_type("home");
        const std::string_view key = line.has_type("cell")    ? "MobilePhone"
                                     : line.has_type("fax")   ? (home ? "HomeFax" : "BusinessFax")
                                     : line.has_type("pager") ? "Pager"
                                     : home                   ? "HomePhone"
                                                              : "BusinessPhone";
        entry(*item, f_phone_numbers, key, "", unescape(line.value));
      }
      if (line.name == "ADR") {
        auto parts = structured(line.value);
        parts.resize(7);
        const std::string_view key = line.has_type("home")   ? "Home"
                                     : line.has_type("work") ? "Business"
                                                             : "Other";
        entry(*item, f_physical_addresses, key, "Street", parts[2]);
        entry(*item, f_physical_addresses, key, "City", parts[3]);
        entry(*item, f_physical_addresses, key, "State", parts[4]);
        entry(*item, f_physical_addresses, key, "PostalCode", parts[5]);
        entry(*item, f_physical_addresses, key, "CountryOrRegion", parts[6]);
      }
      if (line.name == "PHOTO") {
        std::string_view data = line.value;
        if (const std::size_t at = data.find("base64,"); at != std::string_view::npos)
          data.remove_prefix(at + 7);
        if (auto octets = syncline::base64_decode(data); octets && !octets->empty()) {
          Attachment photo;
          photo.serial = item->next_serial++;
          photo.name = "ContactPicture.jpg";
          photo.content_type = "image/jpeg";
          photo.is_contact_photo = true;
          photo.modified = context_.store.now();
          photo.content = std::make_shared<const std::string>(std::move(*octets));
          item->attachments.push_back(std::move(photo));
        }
      }
    }
    return settle_and_insert(name, "contacts", std::move(item), report_.contacts);
  }

  Context& context_;
  FillReport& report_;
};

/// splitmix64: its own, so that the same seed fills the same on every library.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t x = state_;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

}  // namespace

syncline::Result<FillReport> fill_from_files(Context& context, const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error))
    return syncline::fail(syncline::ErrorDomain::input, "no-folder", "not a folder: " + folder.string());
  std::vector<std::filesystem::path> files;
  for (std::filesystem::recursive_directory_iterator
           at(folder, std::filesystem::directory_options::skip_permission_denied, error),
       end;
       !error && at != end && files.size() < kFilesLimit; at.increment(error))
    if (at->is_regular_file(error)) files.push_back(at->path());
  std::sort(files.begin(), files.end());
  FillReport report;
  if (error) report.malformed.push_back(folder.string() + ": " + error.message());
  if (files.size() == kFilesLimit) report.malformed.push_back(folder.string() + ": too many files");
  Filler filler(context, report);
  for (const auto& file : files) filler.file(file);
  return report;
}

FillReport generate_items(Context& context, Folder& messages, const GeneratorOptions& options) {
  FillReport report;
  Dice dice(options.seed);
  const auto set_zone = [](Item& item, const Zone& zone) {
    std::string xml;
    write_zone(xml, zone, true, "StartTimeZone");
    item.bag.set(f_start_zone, xml);
  };
  for (std::size_t i = 0; i < options.messages; ++i) {
    const std::uint64_t kind = dice.below(100);
    const std::size_t base = options.message_bytes != 0 ? options.message_bytes
                             : kind < 80                ? 4'000
                             : kind < 98                ? 44'000
                                                        : 500'000;
    const GeneratedMail mail{dice.next() >> 16,
                             static_cast<std::uint32_t>(base - base / 8 + dice.below(base / 4 + 1))};
    auto item = item_from_generated(mail);
    item->is_read = dice.below(10) != 0;
    context.store.insert(context.mailbox, messages.number, std::move(item));
    ++report.messages;
  }
  const Zone* zones[] = {find_zone("W. Europe Standard Time"), find_zone("Eastern Standard Time"),
                         find_zone("Tokyo Standard Time")};
  const std::uint32_t calendar = context.mailbox.folder("calendar")->number;
  for (std::size_t i = 0; i < options.appointments; ++i) {
    auto item = std::make_unique<Item>();
    item->kind = ItemKind::calendar_item;
    const Zone& zone = *zones[dice.below(3)];
    const Day day = day_of(2025, 1, 1) + static_cast<Day>(dice.below(900));
    const Seconds wall = day * kDaySeconds + static_cast<Seconds>(8 * 3600 + dice.below(20) * 1800);
    item->bag.set(f_subject, "Appointment " + std::to_string(i));
    item->bag.set(f_start, format_utc(zone.to_utc(wall)));
    item->bag.set(f_end, format_utc(zone.to_utc(wall + 1800 * static_cast<Seconds>(1 + dice.below(4)))));
    set_zone(*item, zone);
    if (i % 10 == 9) {
      Recurrence r;
      r.pattern = static_cast<Recurrence::Pattern>(dice.below(6));
      r.interval = 1 + static_cast<int>(dice.below(3));
      r.days = 1U << dice.below(7);
      r.index = 1 + static_cast<int>(dice.below(5));
      r.day_of_month = 1 + static_cast<int>(dice.below(31));
      r.month = 1 + static_cast<int>(dice.below(12));
      r.start = day;
      r.count = 5 + static_cast<int>(dice.below(20));
      item->bag.set(f_recurrence, write_recurrence(r));
    }
    if (!settle(context, *item, nullptr)) continue;
    context.store.insert(context.mailbox, calendar, std::move(item));
    ++report.appointments;
  }
  const std::uint32_t contacts = context.mailbox.folder("contacts")->number;
  const PropertyId email = context.store.dictionary_id({f_email_addresses, "EmailAddress1", ""});
  const PropertyId phone = context.store.dictionary_id({f_phone_numbers, "BusinessPhone", ""});
  for (std::size_t i = 0; i < options.contacts; ++i) {
    auto item = std::make_unique<Item>();
    item->kind = ItemKind::contact;
    const std::string number = std::to_string(i);
    item->bag.set(f_given_name, "Given" + number);
    item->bag.set(f_surname, "Surname" + std::to_string(dice.below(1000)));
    item->bag.set(email, "contact" + number + "@partner.example");
    item->bag.set(phone, "+49 30 " + std::to_string(100'000 + dice.below(900'000)));
    if (!settle(context, *item, nullptr)) continue;
    context.store.insert(context.mailbox, contacts, std::move(item));
    ++report.contacts;
  }
  const std::uint32_t tasks = context.mailbox.folder("tasks")->number;
  for (std::size_t i = 0; i < options.tasks; ++i) {
    auto item = std::make_unique<Item>();
    item->kind = ItemKind::task;
    item->bag.set(f_subject, "Task " + std::to_string(i));
    item->bag.set(f_due_date,
                  format_utc((day_of(2026, 1, 1) + static_cast<Day>(dice.below(700))) * kDaySeconds));
    item->bag.set(f_percent, std::to_string(dice.below(5) * 25));
    if (!settle(context, *item, nullptr)) continue;
    context.store.insert(context.mailbox, tasks, std::move(item));
    ++report.tasks;
  }
  return report;
}

}  // namespace exchange_sim
