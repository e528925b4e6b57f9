# The line that a Tab at the end of each LINE gives in an interactive zsh: zsh -f complete.zsh FOLDER LINE…
zmodload zsh/zpty
export out=$1/zsh-line
shift
zpty shell zsh -f -i
until_ready() { local line; while zpty -r shell line; do [[ $line == *READY* ]] && break; done }
zpty -w shell 'PS1= PS2=; autoload -Uz compinit && compinit -u -D; source <($ANISO completion zsh)
write_line() { print -r -- "$BUFFER" >$out.part; mv $out.part $out; BUFFER= }
zle -N write_line; bindkey "^X" write_line; bindkey "^I" complete-word; setopt no_beep no_list_ambiguous no_auto_menu
print REA""DY'
until_ready
for line; do
  rm -f $out
  zpty -w -n shell "$line"$'\t\x18'
  for i in {1..200}; do [[ -e $out ]] && break; sleep 0.1; done
  cat $out
done
zpty -d shell
