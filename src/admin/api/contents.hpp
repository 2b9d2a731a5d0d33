// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <vector>

#include "admin/api/route.hpp"

namespace syncline::admin::api {

/// Files of records, in and out.
void add_content_routes(std::vector<Route>& routes);

}  // namespace syncline::admin::api
