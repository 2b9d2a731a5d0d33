// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cstdlib>
#include <set>

#include "base/text.hpp"
#include "routing/rules/intake/toml_library.hpp"
#include "service/organisation/apply_file.hpp"
#include "service/organisation/profile_contradiction.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;

constexpr int nesting_limit = 8;

std::string time_text(const toml::date& date) {
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

/// nullopt: nothing that a setting could hold.
std::optional<json::value> to_json(const toml::node& node, int depth, Wrong& wrong) {
  if (depth > nesting_limit) {
    wrong = "the value is nested too deep";
    return std::nullopt;
  }
  if (const auto* text = node.as_string()) return json::value(text->get());
  if (const auto* number = node.as_integer()) return json::value(number->get());
  if (const auto* real = node.as_floating_point()) return json::value(real->get());
  if (const auto* truth = node.as_boolean()) return json::value(truth->get());
  if (const auto* date = node.as_date()) return json::value(time_text(date->get()));
  if (const auto* when = node.as_date_time()) {
    const toml::date_time& time = when->get();
    if (!time.offset) {
      wrong = "a time needs its offset from UTC: 2026-11-22T10:00:00Z";
      return std::nullopt;
    }
    const int minutes = time.offset->minutes;
    return json::value(fmt::format("{}T{:02}:{:02}:{:02}{}{:02}:{:02}", time_text(time.date), time.time.hour,
                                   time.time.minute, time.time.second, minutes < 0 ? '-' : '+',
                                   std::abs(minutes) / 60, std::abs(minutes) % 60));
  }
  if (const auto* list = node.as_array()) {
    json::array array;
    for (const toml::node& entry : *list) {
      auto value = to_json(entry, depth + 1, wrong);
      if (!value) return std::nullopt;
      array.push_back(std::move(*value));
    }
    return array;
  }
  if (const auto* table = node.as_table()) {
    json::object object;
    for (const auto& [key, entry] : *table) {
      auto value = to_json(entry, depth + 1, wrong);
      if (!value) return std::nullopt;
      object.emplace(key.str(), std::move(*value));
    }
    return object;
  }
  wrong = "this kind of value has no meaning here";
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(const toml::table& document) : document_(document) {}

  expected<Configuration, std::vector<FileProblem>> read() {
    for (const auto& [key, node] : document_) {
      const std::string_view name = key.str();
      if (name == "organisation") {
        take_table(name, node, organisation_settings(), result_.organisation);
      } else if (name == "policy") {
        take_policies(node);
      } else if (name == "defaults") {
        take_defaults(node);
      } else if (name == "profile") {
        take_profiles(node);
      } else if (name == "mailbox") {
        take_mailboxes(node);
      } else {
        complain(key.source(), std::string(name),
                 unknown(name, "organisation, policy, defaults, profile, mailbox"));
      }
    }
    for (const auto& [profile, node] : wanted_profiles_) {
      if (result_.profile_named(profile) == nullptr)
        complain(node->source(), node == default_profile_ ? "defaults.profile" : "mailbox.profile",
                 fmt::format("there is no profile \"{}\" in this file", profile));
    }
    if (problems_.empty()) return std::move(result_);
    std::stable_sort(problems_.begin(), problems_.end(), [](const auto& a, const auto& b) {
      return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
    return unexpected<std::vector<FileProblem>>(std::move(problems_));
  }

 private:
  void complain(const toml::source_region& where, std::string key, std::string reason) {
    if (problems_.size() < apply_problems_limit)
      problems_.push_back(
          {where.begin.line, where.begin.column, text::escape_for_display(key), std::move(reason)});
  }

  static std::string unknown(std::string_view name, std::string_view known) {
    if (looks_like_secret(name)) return "secrets are not kept in files; use syncline secret set";
    return fmt::format("unknown key; known are {}", known);
  }

  template <class Owner>
  static std::string known_keys(const Settings<Owner>& settings) {
    std::string list;
    for (const auto& one : settings) list += (list.empty() ? "" : ", ") + std::string(one.key);
    return list;
  }

  /// The rules' prefix may stand before a key: prof_in_port.
  template <class Owner>
  static const Setting<Owner>* find(const Settings<Owner>& settings, std::string_view section,
                                    std::string_view key) {
    const auto* found = find_setting(settings, key);
    if (found != nullptr) return found;
    const auto without = [&](std::string_view prefix) {
      return key.starts_with(prefix) ? find_setting(settings, key.substr(prefix.size())) : nullptr;
    };
    if (section == "organisation") return without("env_");
    if (section == "profile") return without("prof_");
    if (section != "mailbox" && section != "defaults") return nullptr;
    return key.starts_with("mbx_") ? without("mbx_") : without("req_");
  }

  template <class Owner>
  void take_table(std::string_view section, const toml::node& node, const Settings<Owner>& settings,
                  Owner& owner) {
    const auto* table = node.as_table();
    if (table == nullptr) return complain(node.source(), std::string(section), "a table is expected");
    std::vector<std::string_view> seen;
    for (const auto& [key, value] : *table) {
      const std::string full = fmt::format("{}.{}", section, key.str());
      const Setting<Owner>* setting = find(settings, section, key.str());
      if (setting == nullptr) {
        complain(key.source(), full, unknown(key.str(), known_keys(settings)));
        continue;
      }
      if (std::find(seen.begin(), seen.end(), setting->key) != seen.end()) {
        complain(key.source(), full, "the setting is given twice");
        continue;
      }
      seen.push_back(setting->key);
      Wrong wrong;
      if (const auto given = to_json(value, 0, wrong)) wrong = setting->set(owner, *given);
      if (wrong) complain(value.source(), full, std::move(*wrong));
    }
  }

  void take_policies(const toml::node& node) {
    const auto* table = node.as_table();
    if (table == nullptr) return complain(node.source(), "policy", "a table is expected");
    for (const auto& [key, part] : *table) {
      const PolicySection* section = find_policy_section(key.str());
      const std::string name = fmt::format("policy.{}", key.str());
      if (section == nullptr) {
        complain(key.source(), name, unknown(key.str(), "sync, mail, conflict, fields"));
      } else {
        take_table(name, part, section->settings, result_.policies);
      }
    }
  }

  void take_defaults(const toml::node& node) {
    model::Mailbox scratch;
    take_table("defaults", node, default_settings(), scratch);
    result_.defaults = to_object(default_settings(), scratch);
    if (!scratch.profile || node.as_table() == nullptr) return;
    default_profile_ = node.as_table()->get("profile");
    wanted_profiles_.emplace_back(*scratch.profile, default_profile_);
  }

  /// Each table of an array of tables.
  template <class Visit>
  void each(std::string_view section, const toml::node& node, Visit visit) {
    const auto* list = node.as_array();
    if (list == nullptr)
      return complain(node.source(), std::string(section),
                      fmt::format("write [[{}]], once for each", section));
    for (const toml::node& entry : *list) {
      if (entry.is_table()) {
        visit(entry);
      } else {
        complain(entry.source(), std::string(section), "a table is expected");
      }
    }
  }

  void take_profiles(const toml::node& node) {
    bool default_seen = false;
    each("profile", node, [&](const toml::node& entry) {
      model::Profile profile;
      const std::size_t before = problems_.size();
      take_table("profile", entry, profile_settings(), profile);
      const toml::table& table = *entry.as_table();
      if (!table.contains("name") && !table.contains("prof_name"))
        complain(entry.source(), "profile.name", "a profile needs a name");
      if (!table.contains("type") && !table.contains("prof_type"))
        complain(entry.source(), "profile.type", "a profile needs a type");
      if (const auto contradiction = contradiction_in(profile))
        complain(entry.source(), fmt::format("profile.{}", contradiction->key), contradiction->reason);
      if (profile.is_default.value_or(false) && default_seen)
        complain(entry.source(), "profile.is_default", "another profile is the default one already");
      default_seen = default_seen || profile.is_default.value_or(false);
      if (!profile.name.empty() && !profile_names_.insert(profile.name).second)
        complain(entry.source(), "profile.name", fmt::format("there are two profiles \"{}\"", profile.name));
      if (problems_.size() == before) result_.profiles.push_back(std::move(profile));
      // A profile with a fault is still one that mailboxes may name.
      else if (!profile.name.empty())
        result_.profiles.push_back({.name = profile.name});
    });
  }

  void take_mailboxes(const toml::node& node) {
    each("mailbox", node, [&](const toml::node& entry) {
      model::Mailbox mailbox;
      take_table("mailbox", entry, mailbox_settings(), mailbox);
      const toml::table& table = *entry.as_table();
      const toml::node* address = table.get("address");
      if (address == nullptr) address = table.get("mbx_address");
      if (address == nullptr) complain(entry.source(), "mailbox.address", "a mailbox needs an address");
      if (!mailbox.address.empty() && !addresses_.insert(mailbox.address).second)
        complain(address->source(), "mailbox.address",
                 fmt::format("there are two mailboxes {}", mailbox.address));
      if (mailbox.profile) wanted_profiles_.emplace_back(*mailbox.profile, table.get("profile"));
      result_.mailboxes.push_back(std::move(mailbox));
    });
  }

  const toml::table& document_;
  Configuration result_;
  std::vector<FileProblem> problems_;
  std::set<std::string> profile_names_;
  std::set<std::string> addresses_;
  std::vector<std::pair<std::string, const toml::node*>> wanted_profiles_;
  const toml::node* default_profile_ = nullptr;
};

}  // namespace

std::string FileProblem::describe(std::string_view file) const {
  std::string place(file);
  if (line > 0) place += fmt::format(":{}:{}", line, column);
  return key.empty() ? fmt::format("{}: {}", place, reason) : fmt::format("{}: {}: {}", place, key, reason);
}

bool looks_like_secret(std::string_view key) {
  const std::string lower = text::to_lower_ascii(key);
  for (const std::string_view word : {"password", "passwd", "passphrase", "secret", "token", "credential",
                                      "private_key", "certificate", "pwd", "api_key", "apikey"}) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return false;
}

expected<json::value, std::string> read_setting_value(std::string_view text) {
  if (!text::is_valid_utf8(text) || text.find_first_of("\r\n") != std::string_view::npos)
    return unexpected<std::string>("the value is not one line of UTF-8");
  const auto parsed = rules::parse_toml_text("value = " + std::string(text));
  // A word without quotes is a text.
  if (!parsed || parsed->size() != 1) return json::value(text);
  Wrong wrong;
  auto value = to_json(parsed->begin()->second, 0, wrong);
  if (!value) return unexpected<std::string>(wrong.value_or("this kind of value has no meaning here"));
  return std::move(*value);
}

expected<Configuration, std::vector<FileProblem>> read_apply_file(std::istream& input) {
  const auto whole = [](std::string reason, std::uint64_t line = 0, std::uint64_t column = 0) {
    return unexpected<std::vector<FileProblem>>({{line, column, "", std::move(reason)}});
  };
  std::string text;
  char buffer[65536];
  while (input.read(buffer, sizeof buffer) || input.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(input.gcount()));
    if (text.size() > apply_file_limit_octets)
      return whole(fmt::format("the file has more than {} octets", apply_file_limit_octets));
  }
  if (!text::is_valid_utf8(text)) return whole("the file is not UTF-8");
  const auto parsed = rules::parse_toml_text(text);
  if (!parsed) {
    return whole(fmt::format("not valid TOML: {}", text::escape_for_display(parsed.error().reason)),
                 parsed.error().line, parsed.error().column);
  }
  return Reader(*parsed).read();
}

}  // namespace syncline::service
