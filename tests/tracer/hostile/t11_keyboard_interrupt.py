# T11 exception: as if a person had stopped it
raise KeyboardInterrupt
