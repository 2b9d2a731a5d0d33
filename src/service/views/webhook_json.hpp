// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Webhooks as other programs see them.
#include <boost/json/object.hpp>
#include <string_view>

#include "store/webhooks.hpp"

namespace syncline::service {

/// {"id","url","kinds","owner","enabled","state","place","attempts","failingSince","nextTryAt",
/// "lastDeliveredAt","lastError","createdAt","createdBy"}; state is "working", "failing" or "disabled".
/// `place`: a token of the feed.
boost::json::object to_json(const store::Webhook& webhook, std::string_view organisation_id);

}  // namespace syncline::service
