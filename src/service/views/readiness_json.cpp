// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/views/readiness_json.hpp"

#include <boost/json/array.hpp>

#include "service/views/findings_json.hpp"
#include "service/views/json_values.hpp"

namespace syncline::service {

namespace json = boost::json;

std::string_view state_of(const MailboxReadiness& one, rules::Day today) noexcept {
  if (one.refused_by_server) return "refused-by-server";
  if (one.forbidden_by_server) return "forbidden-by-server";
  if (one.stops_on) return *one.stops_on <= today ? "stopped" : "stops";
  return one.concerned ? "warned" : "ready";
}

json::object to_json(const MailboxReadiness& one, rules::Day today, rules::Language language) {
  json::array findings;
  if (one.judged)
    for (json::value& finding : findings_json(*one.judged, language)) {
      const std::string_view rule(finding.at("rule").as_string());
      if (rule.starts_with("EWS-RETIRE-") || rule == "EWS-TENANT-DISABLED")
        findings.push_back(std::move(finding));
    }
  json::value stops_on;
  if (one.stops_on) stops_on = json::value(rules::format_day(*one.stops_on));
  return {{"mailbox", one.address},
          {"profile", text_or_null(one.profile)},
          {"tenant", text_or_null(one.tenant)},
          {"enabled", one.enabled},
          {"state", state_of(one, today)},
          {"stopsOn", std::move(stops_on)},
          {"findings", std::move(findings)}};
}

}  // namespace syncline::service
