// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/discover_all.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"
#include "service/placement/placement_pass.hpp"
#include "service/views/json_values.hpp"
#include "vault/hardening.hpp"

namespace syncline::cli {
namespace {

namespace asio = net::asio;
namespace json = boost::json;
using service::PlacementResult;

json::object to_json(const PlacementResult& result) {
  json::value facts;
  if (result.facts)
    facts = json::object{{"location", model::to_string(result.facts->location)},
                         {"endpoint", service::text_or_null(result.facts->ews_endpoint)},
                         {"serverVersion", service::text_or_null(result.facts->server_version.value_or(""))},
                         {"serverType", result.facts->server_type}};
  return {{"mailbox", result.address},       {"profile", service::text_or_null(result.profile)},
          {"state", to_string(result.what)}, {"text", result.text},
          {"facts", std::move(facts)},       {"parked", result.parked},
          {"changed", result.changed},       {"reassignedTo", service::text_or_null(result.reassigned_to)}};
}

void append_text(std::string& out, const PlacementResult& result) {
  append_wrapped(out, padded(shown(result.address), 34) + " ", shown(describe(result)));
}

}  // namespace

ExitStatus discover_all(const Globals& globals, const DiscoverAllOptions& options) {
  vault::forbid_memory_dumps();
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  service::Actor actor = options.actor;
  if (actor.who.empty()) actor.who = current_user();
  asio::io_context context;
  std::optional<Result<std::vector<PlacementResult>>> results;
  asio::co_spawn(context,
                 service::look_for_mailboxes(context.get_executor(), **organisation,
                                             {.follow_moves = options.follow_moves}, std::move(actor)),
                 [&](const std::exception_ptr& thrown, Result<std::vector<PlacementResult>> found) {
                   if (thrown) std::rethrow_exception(thrown);
                   results = std::move(found);
                 });
  while (!results && context.run_one() > 0) {
  }
  if (!results) return ExitStatus::interrupted;
  if (!*results) return report(results->error());
  Output output;
  ExitStatus status = ExitStatus::done;
  for (const PlacementResult& result : **results) {
    if (result.what == PlacementResult::What::elsewhere || result.what == PlacementResult::What::not_found)
      status = ExitStatus::refused;
    if (options.format == "json")
      append_line(output, to_json(result));
    else
      append_text(output.text(), result);
  }
  if ((*results)->empty() && options.format == "text") output.text() += "No mailboxes.\n";
  return finish(output, status);
}

}  // namespace syncline::cli
