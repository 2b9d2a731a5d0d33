// SPDX-License-Identifier: GPL-3.0-or-later
#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "ews/inspect/inspector.hpp"

namespace syncline::ews::inspect {
namespace {

namespace json = boost::json;

constexpr std::size_t chunk_octets = 64 * 1024;

json::object cannot_open(int reason) {
  json::object error;
  error["code"] = "cannot-open";
  error["message"] = std::string("the file cannot be read: ") + std::strerror(reason);
  error["line"] = nullptr;
  json::object out;
  out["error"] = std::move(error);
  out["partial"] = nullptr;
  return out;
}

json::object read(const char* path, const xml::Limits& limits) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path, "rb"), std::fclose);
  if (!file) return cannot_open(errno);
  Inspector inspector(limits);
  std::vector<char> chunk(chunk_octets);
  for (;;) {
    errno = 0;
    const std::size_t count = std::fread(chunk.data(), 1, chunk.size(), file.get());
    if (std::ferror(file.get()) != 0) return cannot_open(errno);
    if (count == 0 || !inspector.feed({chunk.data(), count})) break;
  }
  return inspector.finish();
}

}  // namespace

json::object inspect_file(std::string_view path, const xml::Limits& limits) {
  json::object out;
  out["file"] = path;
  json::object told = read(std::string(path).c_str(), limits);
  for (auto& [name, value] : told) out[name] = std::move(value);
  return out;
}

}  // namespace syncline::ews::inspect
