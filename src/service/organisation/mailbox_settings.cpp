// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "base/text.hpp"
#include "service/organisation/configuration.hpp"
#include "service/organisation/setting_values.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;
using M = model::Mailbox;

/// One '@', something on both sides, no blanks: what is more, the server says.
Wrong read_address(const json::value& value, std::string& into) {
  std::string text;
  if (Wrong wrong = read_value(value, text)) return wrong;
  const std::size_t at = text.rfind('@');
  if (at == std::string::npos || at == 0 || at + 1 == text.size() ||
      text.find_first_of(" ,;<>\"") != std::string::npos)
    return fmt::format("\"{}\" is not an e-mail address", text);
  into = text::to_lower_ascii(text);
  return std::nullopt;
}

Wrong read_folders(M& mailbox, const json::value& value) {
  if (Wrong wrong = read_value(value, mailbox.folders)) return wrong;
  if (mailbox.folders.size() > model::tracked_folders_limit)
    return fmt::format("at most {} folders are tracked", model::tracked_folders_limit);
  for (std::size_t i = 0; i < mailbox.folders.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (text::equals_ignore_case(mailbox.folders[i], mailbox.folders[j]))
        return fmt::format("the folder {} is there twice", mailbox.folders[i]);
    }
  }
  return std::nullopt;
}

Wrong read_policy(M& mailbox, const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return "a table is expected: policy.mail.track = \"all\"";
  model::Policies scratch;
  if (Wrong wrong = policies_from_object(*object, scratch)) return wrong;
  mailbox.policy = *object;
  return std::nullopt;
}

}  // namespace

const Settings<M>& mailbox_settings() {
  using rules::Field;
  static const Settings<M> table = [] {
    Settings<M> made = {
        required_setting<M>("address", SYNCLINE_MEMBER(address), "primary address",
                            "\"ana@contoso.example\""),
        setting<M>("kind", SYNCLINE_MEMBER(kind), "user, queue, forward", "\"user\""),
        setting<M>("store", SYNCLINE_MEMBER(store),
                   "where its folders stand: mailbox, group (a group's mailbox), public_folders (those of "
                   "`folders` that the address may open)",
                   "\"mailbox\""),
        setting<M>("owner", SYNCLINE_MEMBER(owner), "whose records these are (default: the address)",
                   "\"ana@contoso.example\""),
        setting<M>("profile", SYNCLINE_MEMBER(profile), "name of the profile (default: the default profile)",
                   "\"Exchange in the basement\""),
        setting<M>("mail_in", SYNCLINE_MEMBER(incoming),
                   "incoming mail: none, sss (Syncline), outlook, forward", "\"sss\""),
        setting<M>("mail_out", SYNCLINE_MEMBER(outgoing), "outgoing mail: none, sss, outlook", "\"sss\""),
        setting<M>("act", SYNCLINE_MEMBER(act), "appointments, contacts, tasks: none, sss, outlook",
                   "\"sss\""),
        setting<M>("start_date", SYNCLINE_MEMBER(start_date), "mail received before is left alone",
                   "2026-11-01"),
        setting<M>("folders", SYNCLINE_MEMBER(folders), "tracked folders below the Inbox, at most 25",
                   "[\"Customers\", \"Customers/Nordwind\"]"),
        setting<M>("user_name", SYNCLINE_MEMBER(user_name),
                   "of mailbox_credentials (default: the address); its password: syncline secret set "
                   "--mailbox ADDRESS",
                   "\"ana@contoso.example\""),
        setting<M>("delete_after", SYNCLINE_MEMBER(delete_after_processing),
                   "queues: delete mail after processing", "false"),
        setting<M>("override_primary", SYNCLINE_MEMBER(override_primary),
                   "take the mailbox over from another organisation", "false"),
        {"policy", "settings of [policy.*] that are different here", "{ mail = { track = \"all\" } }", false,
         [](const M& mailbox) -> json::value {
           if (mailbox.policy.empty()) return nullptr;
           return mailbox.policy;
         },
         read_policy},
        fact_setting<M>(Field::mbx_recipient_type, SYNCLINE_MEMBER(facts), "\"mailbox\""),
        fact_setting<M>(Field::mbx_host, SYNCLINE_MEMBER(facts), "\"exchange_onprem\""),
        fact_setting<M>(Field::mbx_exchange_version, SYNCLINE_MEMBER(facts), "\"2019\""),
        fact_setting<M>(Field::mbx_tenant, SYNCLINE_MEMBER(facts), "\"na\""),
        fact_setting<M>(Field::mbx_external_target, SYNCLINE_MEMBER(facts), "false"),
        fact_setting<M>(Field::mbx_state, SYNCLINE_MEMBER(facts), "\"active\""),
        fact_setting<M>(Field::mbx_mfa, SYNCLINE_MEMBER(facts), "false"),
        fact_setting<M>(Field::mbx_license, SYNCLINE_MEMBER(facts), "true"),
        fact_setting<M>(Field::mbx_owner_role, SYNCLINE_MEMBER(facts), "true"),
        fact_setting<M>(Field::mbx_primary_org, SYNCLINE_MEMBER(facts), "\"unset\""),
        fact_setting<M>(Field::mbx_server_fips, SYNCLINE_MEMBER(facts), "\"unknown\""),
        fact_setting<M>(Field::req_purpose, SYNCLINE_MEMBER(facts), "\"normal\""),
        fact_setting<M>(Field::req_app_for_outlook, SYNCLINE_MEMBER(facts), "false"),
        fact_setting<M>(Field::req_outlook_web, SYNCLINE_MEMBER(facts), "false"),
        fact_setting<M>(Field::req_outlook_manual_tracking, SYNCLINE_MEMBER(facts), "false"),
        fact_setting<M>(Field::req_privileges, SYNCLINE_MEMBER(facts), "\"rw\""),
    };
    for (Setting<M>& one : made) {
      if (one.key == "address")
        one.set = [](M& mailbox, const json::value& value) { return read_address(value, mailbox.address); };
      if (one.key == "owner")
        one.set = [](M& mailbox, const json::value& value) {
          return read_address(value, mailbox.owner.emplace());
        };
      if (one.key == "folders") one.set = read_folders;
    }
    return made;
  }();
  return table;
}

const Settings<M>& default_settings() {
  static const Settings<M> table = [] {
    Settings<M> made;
    for (const Setting<M>& one : mailbox_settings()) {
      bool is_own = false;
      for (const std::string_view key :
           {"address", "kind", "store", "owner", "user_name", "override_primary"})
        is_own = is_own || one.key == key;
      if (!is_own) made.push_back(one);
    }
    return made;
  }();
  return table;
}

}  // namespace syncline::service
