// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "service/organisation/apply_file.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;

void append_text(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (octet < 0x20 || octet == 0x7F) {
      out += fmt::format("\\u{:04X}", octet);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

bool is_bare_key(std::string_view key) noexcept {
  for (const char c : key) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!plain) return false;
  }
  return !key.empty();
}

void append_key(std::string& out, std::string_view key) {
  if (is_bare_key(key)) {
    out += key;
  } else {
    append_text(out, key);
  }
}

/// Values of settings nest a few levels at most: they were read with a limit.
void append_value(std::string& out, const json::value& value) {
  if (const auto* text = value.if_string()) {
    append_text(out, *text);
  } else if (const auto* list = value.if_array()) {
    out += "[";
    for (std::size_t i = 0; i < list->size(); ++i) {
      if (i > 0) out += ", ";
      append_value(out, (*list)[i]);
    }
    out += "]";
  } else if (const auto* object = value.if_object()) {
    out += "{ ";
    bool first = true;
    for (const auto& [key, entry] : *object) {
      if (!first) out += ", ";
      first = false;
      append_key(out, key);
      out += " = ";
      append_value(out, entry);
    }
    out += " }";
  } else if (const auto* truth = value.if_bool()) {
    out += *truth ? "true" : "false";
  } else if (const auto* number = value.if_int64()) {
    out += fmt::format("{}", *number);
  }
}

template <class Owner>
std::string written(const Settings<Owner>& settings, const Owner& owner) {
  std::string out;
  for (const auto& setting : settings) {
    const json::value value = setting.get(owner);
    if (value.is_null()) continue;
    out += setting.key;
    out += " = ";
    if (setting.is_time && value.is_string()) {
      out += std::string_view(value.get_string());
    } else {
      append_value(out, value);
    }
    out.push_back('\n');
  }
  return out;
}

/// `# help` and the key, commented out unless `live` names it.
template <class Owner>
void append_sample(std::string& out, const Settings<Owner>& settings,
                   std::initializer_list<std::string_view> live) {
  for (const auto& setting : settings) {
    bool is_live = false;
    for (const std::string_view key : live) is_live = is_live || key == setting.key;
    out += fmt::format("# {}\n{}{} = {}\n", setting.help, is_live ? "" : "#", setting.key, setting.example);
  }
}

}  // namespace

std::string write_apply_file(const Configuration& configuration) {
  std::string out = "[organisation]\n" + written(organisation_settings(), configuration.organisation);
  for (const PolicySection& section : policy_sections()) {
    const std::string part = written(section.settings, configuration.policies);
    if (!part.empty()) out += fmt::format("\n[policy.{}]\n{}", section.name, part);
  }
  if (!configuration.defaults.empty()) {
    // What was read through the settings is written through them.
    model::Mailbox scratch;
    (void)from_object(default_settings(), configuration.defaults, scratch);
    out += "\n[defaults]\n" + written(default_settings(), scratch);
  }
  for (const model::Profile& profile : configuration.profiles)
    out += "\n[[profile]]\n" + written(profile_settings(), profile);
  for (const model::Mailbox& mailbox : configuration.mailboxes)
    out += "\n[[mailbox]]\n" + written(mailbox_settings(), mailbox);
  return out;
}

std::string apply_file_example() {
  std::string out =
      "# A configuration of Syncline: syncline apply THIS-FILE --dry-run shows what it would change.\n"
      "# Every key is here; those that begin with # are examples and not in force.\n"
      "# Secrets are not kept here: syncline secret set.\n"
      "\n[organisation]\n";
  append_sample(out, organisation_settings(), {"name", "deployment", "cloud"});
  for (const PolicySection& section : policy_sections()) {
    out += fmt::format("\n# {}.\n[policy.{}]\n", section.help, section.name);
    append_sample(out, section.settings, {});
  }
  out += "\n# What new mailboxes get where they do not say it themselves.\n[defaults]\n";
  append_sample(out, default_settings(), {});
  out += "\n# One for each kind of server.\n[[profile]]\n";
  append_sample(out, profile_settings(), {"name", "type", "autodiscover", "user_name", "impersonation"});
  out += "\n# One for each user, queue or forward mailbox.\n[[mailbox]]\n";
  append_sample(out, mailbox_settings(), {"address", "profile"});
  return out;
}

}  // namespace syncline::service
