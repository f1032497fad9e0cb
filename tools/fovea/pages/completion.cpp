// Completions for bash, zsh and fish.
#include "pages/table.hpp"

namespace fovea::cli {
namespace {

/// Between single quotes, in any of the shells' ways.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string joined(const std::vector<std::string>& words, const std::string& between = " ") {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

/// The help's first sentence or clause: a line of a menu.
std::string brief(const std::string& help) {
  auto end = help.size();
  for (const auto* stop : {". ", "; ", ": ", " ("})
    if (const auto at = help.find(stop); at != std::string::npos && at > 0) end = std::min(end, at);
  auto out = help.substr(0, end);
  while (out.ends_with('.')) out.pop_back();
  return out;
}

std::vector<std::string> subcommands(const std::vector<CommandRow>& table) {
  std::vector<std::string> out;
  for (const auto& row : table)
    if (!row.name.empty()) out.push_back(row.name);
  return out;
}

std::vector<std::string> option_names(const CommandRow& command) {
  std::vector<std::string> out;
  for (const auto& row : command.options) out.insert(out.end(), row.names.begin(), row.names.end());
  return out;
}

/// What stands behind an option, in bash.
std::string bash_values(const OptionRow& row) {
  std::string out = "values=" + quoted(joined(row.values));
  if (row.list) out += " list=1";
  if (row.files) out += " files=1";
  return out;
}

}  // namespace

std::string bash_completion(const std::vector<CommandRow>& table) {
  std::string out = R"(# bash completion for fovea(1)

_fovea() {
    local at=$((COMP_CWORD - 1)) current=${COMP_WORDS[COMP_CWORD]} cut='' before
    # Words are split at '=' and ':'. Of NAME:VALUE, what is in front of the colon stays.
    if [[ $current == : && $at -gt 0 ]]; then
        cut=${COMP_WORDS[at]}: current=$cut at=$((at - 1))
    elif [[ ${COMP_WORDS[at]} == : && $at -gt 1 ]]; then
        cut=${COMP_WORDS[at - 1]}: current=$cut$current at=$((at - 2))
    fi
    if [[ $current == = ]]; then current=''; elif [[ ${COMP_WORDS[at]} == = ]]; then at=$((at - 1)); fi
    before=${COMP_WORDS[at]}
    local options='' values='' list='' files='' taken=''
    case ${COMP_WORDS[1]} in
)";
  for (const auto& command : table) {
    if (command.name.empty()) continue;
    out += "    " + command.name + ")\n        options=" + quoted(joined(option_names(command))) +
           "\n        case $before in\n";
    for (const auto& row : command.options)
      if (!row.value.empty())
        out += "        " + joined(row.names, "|") + ") taken=1 " + bash_values(row) + " ;;\n";
    out += "        esac ;;\n";
  }
  out +=
      "    esac\n    COMPREPLY=()\n    if [[ $COMP_CWORD -eq 1 ]]; then\n"
      "        COMPREPLY=($(compgen -W " +
      quoted(joined(subcommands(table)) + " " + joined(option_names(table.front()))) +
      " -- \"$current\"))\n        return\n    fi\n";
  out += R"(    if [[ -z $taken && $current == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
        return
    fi
    if [[ -n $values ]]; then
        local given=''
        if [[ -n $list && $current == *,* ]]; then
            given=${current%,*}, current=${current##*,}
        fi
        COMPREPLY=($(compgen -P "$given" -W "$values" -- "$current"))
        [[ ${COMPREPLY-} == *= ]] && compopt -o nospace 2>/dev/null
    fi
    if [[ -n $files || -z $taken ]]; then
        local IFS=$'\n'
        COMPREPLY+=($(compgen -f -- "$current"))
        compopt -o filenames 2>/dev/null
    fi
    [[ -n $cut ]] && COMPREPLY=("${COMPREPLY[@]#"$cut"}")
    return 0
}

complete -F _fovea fovea
)";
  return out;
}

namespace {

/// In the square brackets of _arguments.
std::string zsh_help(const std::string& help) {
  std::string out;
  for (const char c : brief(help)) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_colons(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == ':' ? std::string("\\:") : std::string(1, c);
  return out;
}

/// ": message: what to offer".
std::string zsh_action(const OptionRow& row) {
  if (row.value.empty()) return {};
  const auto values = zsh_colons(joined(row.values));
  std::string out = std::string(row.value_is_optional ? "::" : ":") + zsh_colons(row.value) + ":";
  if (row.list) return out + "_sequence compadd - " + values;
  if (!row.values.empty() && row.files) return out + "{compadd -- " + values + "; _files}";
  if (!row.values.empty()) return out + "(" + values + ")";
  return out + (row.files ? "_files" : " ");
}

std::string zsh_option(const OptionRow& row) {
  const auto spec = "[" + zsh_help(row.help) + "]" + zsh_action(row);
  std::string out;
  for (const auto& name : row.names)
    out.append(" \\\n            ").append(quoted(std::string("*").append(name).append(spec)));
  return out;
}

}  // namespace

std::string zsh_completion(const std::vector<CommandRow>& table) {
  std::string out =
      "#compdef fovea\n\n_fovea() {\n    local context state line\n    typeset -A opt_args\n"
      "    _arguments -C";
  for (const auto& row : table.front().options) out += zsh_option(row);
  out +=
      " \\\n            '1:command:->command' '*::argument:->argument'\n    case $state in\n    "
      "command)\n        local -a commands=(";
  for (const auto& command : table)
    if (!command.name.empty())
      out += "\n            " + quoted(command.name + ":" + zsh_colons(brief(command.help)));
  out += ")\n        _describe command commands ;;\n    argument)\n        case $words[1] in\n";
  for (const auto& command : table) {
    if (command.name.empty()) continue;
    out += "        " + command.name + ")\n            _arguments";
    for (const auto& row : command.options) out += zsh_option(row);
    for (const auto& row : command.arguments)
      out += " \\\n            " + quoted((row.repeatable ? "*:" : ":") + row.value + ":_files");
    out += " ;;\n";
  }
  return out + "        esac ;;\n    esac\n}\n\n_fovea \"$@\"\n";
}

std::string fish_completion(const std::vector<CommandRow>& table) {
  std::string out = "# fish completion for fovea(1)\n\n";
  const auto all = joined(subcommands(table));
  for (const auto& command : table) {
    const auto when = command.name.empty() ? "not __fish_seen_subcommand_from " + all
                                           : "__fish_seen_subcommand_from " + command.name;
    if (!command.name.empty())
      out += "complete -c fovea -f -n " + quoted("not __fish_seen_subcommand_from " + all) +
             " -a " + command.name + " -d " + quoted(brief(command.help)) + "\n";
    for (const auto& row : command.options) {
      out += "complete -c fovea -n " + quoted(when);
      for (const auto& name : row.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!row.value.empty() && !row.value_is_optional) out += row.files ? " -r -F" : " -x";
      if (!row.values.empty()) out += " -a " + quoted(joined(row.values));
      out += " -d " + quoted(brief(row.help)) + "\n";
    }
  }
  return out;
}

}  // namespace fovea::cli
