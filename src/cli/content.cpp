// SPDX-License-Identifier: GPL-3.0-or-later
// `syncline content put|get`: files of records (attachments, photos, messages as received) in and out of the
// content store, as streams.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "cli/layout.hpp"
#include "cli/organisation_command.hpp"

namespace syncline::cli {
namespace {

struct ContentOptions {
  std::vector<std::string> files;
  std::string sha256;
  std::string to;
};

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

Error of_file(const std::string& name) {
  Error error;
  error.domain = ErrorDomain::input;
  error.code = "file";
  error.message = fmt::format("{}: {}", name, std::generic_category().message(errno));
  return error;
}

Result<store::StoredContent> put(store::ContentBatch& batch, store::ContentStore& contents, std::FILE* from,
                                 const std::string& name) {
  auto writer = contents.create();
  if (!writer) return fail(std::move(writer.error()));
  std::array<std::byte, 65536> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), from))
    if (auto written = writer->write(std::span(buffer).first(count)); !written)
      return fail(std::move(written.error()));
  if (std::ferror(from) != 0) return fail(of_file(name));
  return batch.add(std::move(*writer));
}

ExitStatus run_put(const Globals& globals, const ContentOptions& options) {
  auto organisation = open_organisation(globals, OpenFor::writing);
  if (!organisation) return report(organisation.error());
  auto contents = (*organisation)->content();
  if (!contents) return report(contents.error());
  store::ContentBatch batch = (*contents)->batch();
  Output output;
  for (const std::string& name : options.files) {
    const bool is_input = name == "-";
    const File opened(is_input ? nullptr : std::fopen(name.c_str(), "rbe"));
    if (!is_input && !opened) return report(of_file(name));
    auto stored = put(batch, **contents, is_input ? stdin : opened.get(), name);
    if (!stored) return report(stored.error());
    append_line(output, {{"name", is_input ? std::string() : std::filesystem::path(name).filename().string()},
                         {"sha256", stored->sha256},
                         {"size", stored->octets}});
  }
  // Nothing is said before it is durable.
  if (auto durable = batch.commit(); !durable) return report(durable.error());
  return finish(output, ExitStatus::done);
}

ExitStatus run_get(const Globals& globals, const ContentOptions& options) {
  auto organisation = open_organisation(globals, OpenFor::reading);
  if (!organisation) return report(organisation.error());
  auto contents = (*organisation)->content();
  if (!contents) return report(contents.error());
  auto reader = (*contents)->open_content(options.sha256);
  if (!reader) {
    Error error = std::move(reader.error());
    if (error.code == "no-content") error.domain = ErrorDomain::input;
    return report(error);
  }
  // Never over a file that is there.
  const File made(options.to.empty() ? nullptr : std::fopen(options.to.c_str(), "wbxe"));
  if (!options.to.empty() && !made) return report(of_file(options.to));
  std::FILE* const to = made ? made.get() : stdout;
  std::array<std::byte, 65536> buffer;
  for (;;) {
    auto count = reader->read(buffer);
    if (!count) return report(count.error());
    if (*count == 0) break;
    if (std::fwrite(buffer.data(), 1, *count, to) != *count) break;
  }
  if (std::fflush(to) != 0 || std::ferror(to) != 0) {
    complain(fmt::format("{} cannot be written: {}", made ? shown(options.to) : "standard output",
                         std::generic_category().message(errno)));
    return ExitStatus::local_trouble;
  }
  return ExitStatus::done;
}

}  // namespace

void add_content(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("content", "Files of records: attachments, photos, messages");
  command->require_subcommand(1);
  auto options = std::make_shared<ContentOptions>();

  CLI::App* put_command = command->add_subcommand(
      "put",
      "Bring files in; prints name, sha256 and size of each, as JSON lines, for a record's attachments");
  put_command->add_option("FILE", options->files, "Files; - is standard input")->required();
  put_command->footer("A file that no record refers to within an hour is removed.");
  put_command->callback([options, &action] {
    action = [options](const Globals& globals) { return run_put(globals, *options); };
  });

  CLI::App* get_command = command->add_subcommand("get", "Write a file out, as it came");
  get_command->add_option("SHA256", options->sha256, "As the record names it")->required();
  get_command->add_option("-o,--output", options->to, "A new file; else standard output");
  get_command->callback([options, &action] {
    action = [options](const Globals& globals) { return run_get(globals, *options); };
  });
}

}  // namespace syncline::cli
